-- Library: the named arguments of a script. ARGV[1] is a JSON object; an argument that is left out is
-- nil. Its numbers are Lua numbers, exact up to 2^53.
local args = cjson.decode(ARGV[1])

-- {name, value, name, value, …} of an object, as HSET takes it.
local function flat(fields)
    local list, n = {}, 0
    for name, value in pairs(fields) do
        list[n + 1], list[n + 2] = name, value
        n = n + 2
    end
    return list
end
