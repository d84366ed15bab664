-- Hand out the events that are due, each to one caller, and count the try; put them back for later.
-- KEYS     queue of events; events by id
-- Arguments:
--   now_ms, next_due_ms     Unix ms; a claimed event is due again then, if its claimer dies
--   most                    how many at most
-- Returns  {id, facts, try} of each event; the try, from 1, is also the claim's token
-- Invariant: a claimed event stays in the queue until it is settled.
-- include _outbox
-- include _arguments
local queue, events = unpack(KEYS)
local claimed = {}
for _, id in ipairs(redis.call("ZRANGEBYSCORE", queue, "-inf", args.now_ms, "LIMIT", 0, args.most)) do
    local facts = redis.call("HGET", events, id)
    if facts then
        redis.call("ZADD", queue, args.next_due_ms, id)
        -- Text that is not a number counts as 0 tries: HINCRBY would fail, also for the events behind it.
        local tries = string.match(redis.call("HGET", events, id .. " tries") or "", "^%d+$")
        local try = string.format("%d", (tonumber(tries) or 0) + 1)
        redis.call("HSET", events, id .. " tries", try)
        claimed[#claimed + 1] = { id, facts, try }
    else
        redis.call("ZREM", queue, id)
    end
end
if #claimed > 0 then keep(queue, events) end
return claimed
