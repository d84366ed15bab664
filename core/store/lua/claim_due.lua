-- Hand out the members that are due, each to one caller, and put them back for later.
-- KEYS[1]  zset of members by due moment, Unix ms
-- ARGV[1]  now, Unix ms     ARGV[2]  moment at which a claimed member is due again, should its
-- claimer die               ARGV[3]  how many at most
-- Returns  members
-- Invariant: a claimed member stays in the set until its claimer removes or moves it.
local due = redis.call("ZRANGEBYSCORE", KEYS[1], "-inf", ARGV[1], "LIMIT", 0, ARGV[3])
for _, member in ipairs(due) do redis.call("ZADD", KEYS[1], ARGV[2], member) end
return due
