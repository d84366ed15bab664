-- Hand out the events that are due, each to one caller, and count the try; put them back for later.
-- KEYS     queue of events; events by id
-- Arguments:
--   now_ms, next_due_ms     Unix ms; a claimed event is due again then, if its claimer dies
--   most                    how many at most
-- Returns  {id, facts, try} of each event; the try, from 1, is also the claim's token
-- Invariant: a claimed event stays in the queue until it is settled.
-- Invariant: an event with `after` waits while the event of that id is in the queue: the end of an alert
--            does not arrive before its beginning. Only alerts have it.
-- include _outbox
-- include _arguments
local queue, events = unpack(KEYS)
local claimed = {}
local WAIT_MS = 1000
local function comes_after(id, facts)
    if string.sub(id, 1, 6) ~= "alert_" then return nil end
    local is_json, event = pcall(cjson.decode, facts)
    return is_json and type(event) == "table" and event.after or nil
end
for _, id in ipairs(redis.call("ZRANGEBYSCORE", queue, "-inf", args.now_ms, "LIMIT", 0, args.most)) do
    local facts = redis.call("HGET", events, id)
    local first = facts and comes_after(id, facts)
    if first and redis.call("ZSCORE", queue, first) then
        redis.call("ZADD", queue, args.now_ms + WAIT_MS, id)
    elseif facts then
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
