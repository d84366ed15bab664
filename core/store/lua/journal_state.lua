-- Read how long the journal is, and how old. Writes nothing.
-- KEYS     journal
-- Arguments:
--   most                    entries to search for checks
-- Returns  {number of entries, age of the oldest in ms, checks among the oldest `most` entries}
-- include _arguments
local length = redis.call("XLEN", KEYS[1])
if length == 0 then return { 0, 0, 0 } end
local entries, checks = redis.call("XRANGE", KEYS[1], "-", "+", "COUNT", args.most), 0
for _, entry in ipairs(entries) do
    if entry[2][1] == "check" then checks = checks + 1 end
end
local now = redis.call("TIME")
local age_ms = now[1] * 1000 + now[2] / 1000 - tonumber(string.match(entries[1][1], "^%d+"))
return { length, math.floor(math.max(age_ms, 0)), checks }
