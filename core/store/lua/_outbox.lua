-- Library: queues an event for WEBHOOK_URL in the same step as the change that it reports.
-- So a crash can neither lose an event nor double it: it is queued exactly when the state changes, and
-- only where a state is reached that is reached once.
-- The queue is a zset of ids by due moment. A hash holds, by "<id>" the facts, by "<id> tries" how
-- often it was tried, and by "<id> last" how the last try ended. What was given up is kept in a second
-- pair of the same form. The two of a pair are always given their TTL together, so they end together.

local KEEP_MS = 2592000000 -- 30 days without any event; the tries of one event take about one
local OF_VERIFICATION = {
    "status", "to_masked", "region", "channel", "mode", "started_ms", "expires_ms", "verified_ms",
    "attempts",
}
local OF_ATTEMPT = {
    "channel", "mode", "state", "requested_ms", "delivered_ms", "error_code", "hangup_cause", "cause",
}
local LOST = { rejected = true, failed = true, undelivered = true }

local function keep(queue, events)
    redis.call("PEXPIRE", queue, KEEP_MS)
    redis.call("PEXPIRE", events, KEEP_MS)
end

local function add_facts(facts, key, names)
    local values = redis.call("HMGET", key, unpack(names))
    for i, name in ipairs(names) do facts[name] = values[i] or facts[name] end
end

-- about: type, at_ms, verification; where it is about one attempt also attempt; `reason` where the
-- records do not know it. attempt_key may be nil.
-- Invariant: no code and no number is among the facts, which are named above.
-- Invariant: no event is queued for a verification that does not exist. Sample traffic has no
--            verifications, so it is never reported.
-- Invariant: an id names one event for ever, so a receiver can drop what comes twice.
local function queue_event(queue, events, about, verification_key, attempt_key, now_ms)
    local facts = { type = about.type, at_ms = about.at_ms, verification = about.verification }
    add_facts(facts, verification_key, OF_VERIFICATION)
    if not facts.status then return end
    if attempt_key then add_facts(facts, attempt_key, OF_ATTEMPT) end
    facts.attempt = about.attempt or (about.verification .. "-" .. facts.attempts)
    facts.reason = about.reason
    -- That it has expired is never written down.
    local over = facts.status == "pending" and tonumber(now_ms) >= tonumber(facts.expires_ms)
    if over then facts.status = "expired" end
    local id = (about.attempt or about.verification) .. "_" .. about.type
    if redis.call("HSETNX", events, id, cjson.encode(facts)) == 1 then
        redis.call("ZADD", queue, now_ms, id)
    end
    keep(queue, events)
end

-- Which event reports an attempt that was in state `before` and has been changed by `write`; nil:
-- none. It is lost once, even if a second opinion differs in the words; it may still arrive.
local function news_of(before, write)
    if write.state == "delivered" then return "delivered" end
    return LOST[write.state] and not LOST[before] and "failed" or nil
end
