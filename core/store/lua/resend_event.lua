-- Put a dead letter back into the queue, with all its tries before it.
-- KEYS[1]  queue of events      KEYS[2]  events by id
-- KEYS[3]  dead letters by moment                               KEYS[4]  dead letters by id
-- ARGV[1]  now, Unix ms         ARGV[2]  id
-- Returns  1 when it was put back, 0 when there is no such dead letter
-- Invariant: two calls at once send it once.
-- include _outbox
local id = ARGV[2]
local facts = redis.call("HGET", KEYS[4], id)
if not facts then return 0 end
redis.call("ZREM", KEYS[3], id)
redis.call("HDEL", KEYS[4], id, id .. " tries", id .. " last")
redis.call("HSET", KEYS[2], id, facts)
redis.call("ZADD", KEYS[1], ARGV[1], id)
keep(KEYS[1], KEYS[2])
return 1
