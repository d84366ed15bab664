-- Read how long the journal is, and how old. Writes nothing.
-- KEYS     journal
-- Arguments:
--   most                    entries to search for checks
-- Returns  {number of entries, id of the oldest, checks among the oldest `most` entries}
-- include _arguments
local length = redis.call("XLEN", KEYS[1])
if length == 0 then return { 0, "", 0 } end
local entries, checks = redis.call("XRANGE", KEYS[1], "-", "+", "COUNT", args.most), 0
for _, entry in ipairs(entries) do
    if entry[2][1] == "check" then checks = checks + 1 end
end
return { length, entries[1][1], checks }
