-- Count a day of sample traffic, or take it back: append it to the journal, once. The fold does the rest.
-- KEYS     sample traffic: status, plan, attempts; its days: the packed entries by day; journal
-- Arguments, and after them the packed entries of the day, "" to take it back:
--   plan                    that the day belongs to
--   day                     name of the day
--   entry                   name of the entry of the journal
--   keep_ms, keep_journal_ms
-- Returns  1, or 0 where nothing was written: another process was faster, the loading was stopped, or the
--          sample traffic was removed
-- Invariant: a day is among the days exactly when the figures include it, or will after the next fold.
-- include _arguments
-- include _journal
local sample_key, days_key, journal_key = unpack(KEYS)
local packed = ARGV[2]
local state = redis.call("HMGET", sample_key, "status", "plan")
if state[2] ~= args.plan then return 0 end
local sign = 1
if packed == "" then
    packed = redis.call("HGET", days_key, args.day)
    if state[1] ~= "removing" or not packed then return 0 end
    redis.call("HDEL", days_key, args.day)
    sign = -1
else
    if state[1] ~= "loading" or redis.call("HSETNX", days_key, args.day, packed) == 0 then return 0 end
    redis.call("PEXPIRE", days_key, args.keep_ms)
end
append_to_journal(journal_key, args.entry, packed, args.keep_journal_ms)
redis.call("HINCRBY", sample_key, "attempts", sign * struct.unpack("<I4", packed))
redis.call("PEXPIRE", sample_key, args.keep_ms)
return 1
