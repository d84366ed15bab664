-- Read the same parts of many packed strings: one command, where a GETRANGE for each key would cost
-- the client more than the bytes do. Writes nothing.
-- KEYS     the keys of the first part, then those of the second, …; the same number for each part
-- Arguments: parts, an array of {first byte, last byte}
-- Returns  the bytes of each key, in the order of KEYS; "" where there is no key
-- include _arguments
local values = {}
local keys_of_part = #KEYS / #args.parts
for i = 1, #KEYS do
    local first, last = unpack(args.parts[math.floor((i - 1) / keys_of_part) + 1])
    values[i] = redis.call("GETRANGE", KEYS[i], first, last)
end
return values
