-- Hand out the events that are due, each to one caller, and count the try; put them back for later.
-- KEYS[1]  queue of events      KEYS[2]  events by id
-- ARGV[1]  now, Unix ms         ARGV[2]  moment at which a claimed event is due again, should its
-- claimer die                   ARGV[3]  how many at most
-- Returns  {id, facts, try}, … in a row; the try, from 1, is also the claim's token
-- Invariant: a claimed event stays in the queue until it is settled.
-- include _outbox
local due = redis.call("ZRANGEBYSCORE", KEYS[1], "-inf", ARGV[1], "LIMIT", 0, ARGV[3])
local claimed = {}
for _, id in ipairs(due) do
    local facts = redis.call("HGET", KEYS[2], id)
    if facts then
        redis.call("ZADD", KEYS[1], ARGV[2], id)
        -- Text that is not a number counts as 0 tries: HINCRBY would fail, also for the events behind it.
        local tries = string.match(redis.call("HGET", KEYS[2], id .. " tries") or "", "^%d+$")
        local try = string.format("%d", (tonumber(tries) or 0) + 1)
        redis.call("HSET", KEYS[2], id .. " tries", try)
        for _, part in ipairs({ id, facts, try }) do claimed[#claimed + 1] = part end
    else
        redis.call("ZREM", KEYS[1], id)
    end
end
if #claimed > 0 then keep(KEYS[1], KEYS[2]) end
return claimed
