-- Gives what is kept under a key: its bytes and how long it will be. Where nothing is, or what is
-- there is no longer true, gives a lease to load it, or says that another one has it.
-- KEYS: value, lease, epoch. ARGV: where tags are, the lease, how long it holds.
local value = redis.call('GET', KEYS[1])
if value and string.byte(value, 1) ~= 2 then
    local is_true, at = true, 11
    for _ = 1, string.byte(value, 10) or 0 do
        local length = string.byte(value, at) or 0
        local tag = string.sub(value, at + 1, at + length)
        local since = string.sub(value, at + length + 1, at + length + 8)
        is_true = is_true and redis.call('GET', ARGV[1] .. tag) == since
        at = at + length + 9
    end
    if is_true then
        return {value, redis.call('PTTL', KEYS[1])}
    end
end
-- A lease of an earlier epoch is void; who asks a second time has its own already.
local mine = ARGV[2] .. ':' .. (redis.call('GET', KEYS[3]) or '')
local lease = redis.call('GET', KEYS[2])
if lease and lease ~= mine then
    local epoch = string.sub(mine, #ARGV[2] + 1)
    if string.sub(lease, -#epoch) == epoch then
        return {false, 0}
    end
end
redis.call('SET', KEYS[2], mine, 'PX', ARGV[3])
return {false, 1}
