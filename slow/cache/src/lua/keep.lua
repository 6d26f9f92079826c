-- Keeps a value: with a lease, if nothing made it void; without one, as who wrote the database
-- does, and tells every process. Gives 1 if it is kept, 0 if the lease is void, -1 if a newer
-- version is known.
-- KEYS: value, lease, epoch, signal. ARGV: where tags are, lease, kind and version, way and bytes,
-- how long the value and its tags are kept, tags.
if ARGV[2] ~= '' then
    local epoch = redis.call('GET', KEYS[3]) or ''
    if redis.call('GET', KEYS[2]) ~= ARGV[2] .. ':' .. epoch then
        return 0
    end
end
redis.call('DEL', KEYS[2])
local old = redis.call('GETRANGE', KEYS[1], 1, 8)
if #old == 8 then
    -- Halves: a number of this language has 53 bits.
    local old_high, old_low = struct.unpack('>I4I4', old)
    local high, low = struct.unpack('>I4I4', string.sub(ARGV[3], 2))
    if old_high > high or (old_high == high and old_low > low) then
        return -1
    end
end
local parts = {ARGV[3], string.char(#ARGV - 6)}
for number = 7, #ARGV do
    local place = ARGV[1] .. ARGV[number]
    local since = redis.call('GET', place)
    if not since then
        local time = redis.call('TIME')
        since = struct.pack('>I4I4', time[1], time[2])
    end
    redis.call('SET', place, since, 'PX', ARGV[6])
    parts[#parts + 1] = string.char(#ARGV[number]) .. ARGV[number] .. since
end
parts[#parts + 1] = ARGV[4]
redis.call('SET', KEYS[1], table.concat(parts), 'PX', ARGV[5])
if ARGV[2] == '' then
    redis.call('SET', KEYS[4], '')
    redis.call('DEL', KEYS[4])
end
return 1
