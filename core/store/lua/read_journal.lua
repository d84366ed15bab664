-- Read the oldest entries of the journal, and how far it is folded. Where a turn is asked for, only the
-- process that has it gets entries: a turn saves work, it protects nothing.
-- KEYS     how far the journal is folded; journal; turn of the processes
-- Arguments:
--   most                    entries             token, turn_ms         of the process; left out: no turn
-- Returns  {how far the journal is folded, "" for nothing; entries}
-- include _arguments
local folded_key, journal_key, turn_key = unpack(KEYS)
local entries = redis.call("XRANGE", journal_key, "-", "+", "COUNT", args.most)
if #entries > 0 and args.token then
    local holder = redis.call("GET", turn_key)
    if holder and holder ~= args.token then return { "", {} } end
    redis.call("SET", turn_key, args.token, "PX", args.turn_ms)
end
return { redis.call("GET", folded_key) or "", entries }
