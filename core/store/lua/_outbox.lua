-- Library: queues an event for WEBHOOK_URL in the same step as the change that it reports.
-- So a crash can neither lose nor repeat an event: it is queued exactly when the state changes, and only
-- for a state that is reached once.
-- The queue is a zset of ids by due moment. A hash holds by "<id>" the facts, by "<id> tries" the number
-- of tries, and by "<id> last" the end of the last try. Events that were given up are kept in a second
-- zset and hash of the same form. A zset and its hash always get their TTL together, so they end together.

local KEEP_MS = 2592000000 -- 30 days without any event; the tries of one event take about one
local OF_VERIFICATION = {
    "status", "to_masked", "region", "channel", "mode", "started_ms", "expires_ms", "verified_ms",
    "attempts",
}
local OF_ATTEMPT = {
    "channel", "mode", "state", "requested_ms", "delivered_ms", "error_code", "hangup_cause", "cause",
}
local FAILED = { rejected = true, failed = true, undelivered = true }

local function keep(queue, events)
    redis.call("PEXPIRE", queue, KEEP_MS)
    redis.call("PEXPIRE", events, KEEP_MS)
end

local function add_facts(facts, key, names)
    local values = redis.call("HMGET", key, unpack(names))
    for i, name in ipairs(names) do facts[name] = values[i] or facts[name] end
end

-- about: type, at_ms, verification; attempt, if the event is about an attempt; reason, if the records do
-- not contain it. attempt_key may be nil.
-- Invariant: no code and no number is among the facts, which are named above.
-- Invariant: no event is queued for a verification that does not exist. Sample traffic has no
--            verifications, so it is never reported.
-- Invariant: an id is never used for another event, so a receiver can drop repeats.
local function queue_event(queue, events, about, verification_key, attempt_key, now_ms)
    local facts = { type = about.type, at_ms = about.at_ms, verification = about.verification }
    add_facts(facts, verification_key, OF_VERIFICATION)
    if not facts.status then return end
    if attempt_key then add_facts(facts, attempt_key, OF_ATTEMPT) end
    facts.attempt = about.attempt or (about.verification .. "-" .. facts.attempts)
    facts.reason = about.reason
    -- The status "expired" is never stored.
    local over = facts.status == "pending" and tonumber(now_ms) >= tonumber(facts.expires_ms)
    if over then facts.status = "expired" end
    local id = (about.attempt or about.verification) .. "_" .. about.type
    if redis.call("HSETNX", events, id, cjson.encode(facts)) == 1 then
        redis.call("ZADD", queue, now_ms, id)
    end
    keep(queue, events)
end

-- The type of the event that reports an attempt that was in state `before` and is changed by `write`; nil:
-- none. A failure is reported once, even if a later event fails it in another way; it may still arrive.
local function event_type_of(before, write)
    if write.state == "delivered" then return "delivered" end
    return FAILED[write.state] and not FAILED[before] and "failed" or nil
end
