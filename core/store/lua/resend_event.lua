-- Put a dead letter back into the queue, with all its tries before it.
-- KEYS     queue of events; events by id; dead letters by moment; dead letters by id
-- Arguments: now_ms (Unix ms), id
-- Returns  1 when it was put back, 0 when there is no such dead letter
-- Invariant: two calls at once send it once.
-- include _outbox
-- include _arguments
local queue, events, dead, dead_events = unpack(KEYS)
local id = args.id
local facts = redis.call("HGET", dead_events, id)
if not facts then return 0 end
redis.call("ZREM", dead, id)
redis.call("HDEL", dead_events, id, id .. " tries", id .. " last")
redis.call("HSET", events, id, facts)
redis.call("ZADD", queue, args.now_ms, id)
keep(queue, events)
return 1
