-- Apply one event to its attempt, exactly once, and tell whoever watches.
-- KEYS[1]  attempt hash       KEYS[2]  its events stream      KEYS[3]  counters of the day
-- ARGV[1]  kind               ARGV[2]  moment it happened, Unix ms
-- ARGV[3]  moment it was heard, Unix ms                       ARGV[4]  source
-- ARGV[5]  keep, ms           ARGV[6]  Pub/Sub channel        ARGV[7]  verification
-- ARGV[8]  keep of counters, ms                               ARGV[9…] field name, value, …
-- Returns  {outcome, state}
-- include _ledger
local event = { kind = ARGV[1], at_ms = ARGV[2], heard_ms = ARGV[3], source = ARGV[4], fields = {} }
for i = 9, #ARGV do event.fields[i - 8] = ARGV[i] end
local result = apply_event(KEYS[1], KEYS[2], event, ARGV[5])
if result[1] == "repeated" or result[1] == "late" or result[1] == "orphan" then
    redis.call("HINCRBY", KEYS[3], result[1], 1)
    redis.call("PEXPIRE", KEYS[3], ARGV[8])
end
if result[1] ~= "orphan" then redis.call("PUBLISH", ARGV[6], ARGV[7]) end
return { result[1], result[2] }
