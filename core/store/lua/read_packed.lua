-- Read the same parts of many packed strings: one command, where a GETRANGE for each key would cost
-- the client more than the bytes do. Writes nothing.
-- KEYS     the keys of the first part, then those of the second, …; the same number for each part
-- ARGV     of each part its first and its last byte
-- Returns  the bytes of each key, in the order of KEYS; "" where there is no key
local parts = {}
local each = #KEYS / (#ARGV / 2)
for i = 1, #KEYS do
    local part = 2 * math.floor((i - 1) / each)
    parts[i] = redis.call("GETRANGE", KEYS[i], ARGV[part + 1], ARGV[part + 2])
end
return parts
