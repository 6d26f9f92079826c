-- Forgets what is kept under keys; the least version that may come back stays.
-- KEYS: of each its value and its lease, then, if everybody is to hear of it, the signal.
-- ARGV: the least version (8 bytes) or nothing, how long it stays.
for at = 1, #KEYS - 1, 2 do
    local least = ARGV[1]
    local old = redis.call('GETRANGE', KEYS[at], 1, 8)
    if #old == 8 then
        local is_newer = least == ''
        if not is_newer then
            local old_high, old_low = struct.unpack('>I4I4', old)
            local high, low = struct.unpack('>I4I4', least)
            is_newer = old_high > high or (old_high == high and old_low > low)
        end
        if is_newer then
            least = old
        end
    end
    if least ~= '' then
        redis.call('SET', KEYS[at], '\2' .. least .. '\0', 'PX', ARGV[2])
    end
    redis.call('DEL', KEYS[at + 1])
end
if #KEYS % 2 == 1 then
    redis.call('SET', KEYS[#KEYS], '')
    redis.call('DEL', KEYS[#KEYS])
end
return 1
