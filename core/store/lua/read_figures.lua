-- Read parts of packed figures: one command for many keys. Writes nothing.
-- KEYS     packed figures
-- Arguments:
--   groups                  arrays, for consecutive keys: number of keys, size of a dense key, bytes; then
--                           first and last byte of each part
-- Returns  of each key: the bytes of its parts where it is dense, an array; else the whole value, "" where
--          there is no key
-- include _arguments
local values, at = {}, 0
for _, group in ipairs(args.groups) do
    for i = at + 1, at + group[1] do
        local key = KEYS[i]
        if redis.call("STRLEN", key) == group[2] then
            local parts = {}
            for j = 3, #group, 2 do
                parts[#parts + 1] = redis.call("GETRANGE", key, group[j], group[j + 1])
            end
            values[i] = parts
        else
            values[i] = redis.call("GET", key) or ""
        end
    end
    at = at + group[1]
end
return values
