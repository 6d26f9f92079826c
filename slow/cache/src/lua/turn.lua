-- Makes every lease void, and, if one is named, everything with a tag.
-- KEYS: epoch, then signal and the tag's place. ARGV: how long tags are kept.
local time = redis.call('TIME')
local function later(place)
    local since = struct.pack('>I4I4', time[1], time[2])
    local old = redis.call('GET', place)
    -- Later than it was, also where the clock does not say so.
    if old and #old == 8 then
        local high, low = struct.unpack('>I4I4', old)
        if high > tonumber(time[1]) or (high == tonumber(time[1]) and low >= tonumber(time[2])) then
            since = struct.pack('>I4I4', high, low + 1)
        end
    end
    return since
end
redis.call('SET', KEYS[1], later(KEYS[1]))
if KEYS[3] then
    redis.call('SET', KEYS[3], later(KEYS[3]), 'PX', ARGV[1])
end
if KEYS[2] then
    redis.call('SET', KEYS[2], '')
    redis.call('DEL', KEYS[2])
end
return 1
