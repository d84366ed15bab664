-- Record how a try ended: delivered, to be tried again, or given up.
-- KEYS     queue of events; events by id; dead letters by the moment they were given up; dead letters by
--          id; number of events delivered that day
-- Arguments:
--   now_ms                  Unix ms
--   id, try                 of the event; its try as it was claimed, a text
--   ending                  "delivered", "again" or "dead"
--   due_ms                  of "again": when it is due, Unix ms
--   answer                  how the try ended, JSON text
--   count_keep_ms           keep of the number of delivered events
--   most_dead               how many dead letters are kept
-- Returns  1 when something was written, else 0: it was settled, or claimed again, meanwhile
-- Invariant: of a claim that ran out, only its success counts.
-- include _outbox
-- include _arguments
local queue, events, dead, dead_events, delivered = unpack(KEYS)
local id, ending = args.id, args.ending
local tries, last = id .. " tries", id .. " last"
local facts = redis.call("HGET", events, id)
if not facts then return 0 end
if ending ~= "delivered" and redis.call("HGET", events, tries) ~= args.try then return 0 end

if ending == "again" then
    redis.call("ZADD", queue, args.due_ms, id)
    redis.call("HSET", events, last, args.answer)
    keep(queue, events)
    return 1
end
redis.call("ZREM", queue, id)
redis.call("HDEL", events, id, tries, last)
if ending == "delivered" then
    redis.call("INCR", delivered)
    redis.call("PEXPIRE", delivered, args.count_keep_ms)
    return 1
end
redis.call("ZADD", dead, args.now_ms, id)
redis.call("HSET", dead_events, id, facts, tries, args.try, last, args.answer)
keep(dead, dead_events)
for _, oldest in ipairs(redis.call("ZRANGE", dead, 0, -1 - args.most_dead)) do
    redis.call("ZREM", dead, oldest)
    redis.call("HDEL", dead_events, oldest, oldest .. " tries", oldest .. " last")
end
return 1
