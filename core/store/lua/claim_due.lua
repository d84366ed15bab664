-- Hand out the members that are due, each to one caller, and put them back for later.
-- KEYS     zset of members by due moment, Unix ms
-- Arguments:
--   now_ms, next_due_ms     Unix ms; a claimed member is due again then, if its claimer dies
--   most                    how many at most
-- Returns  members
-- Invariant: a claimed member stays in the set until its claimer removes or moves it.
-- include _arguments
local queue = KEYS[1]
local due = redis.call("ZRANGEBYSCORE", queue, "-inf", args.now_ms, "LIMIT", 0, args.most)
for _, member in ipairs(due) do redis.call("ZADD", queue, args.next_due_ms, member) end
return due
