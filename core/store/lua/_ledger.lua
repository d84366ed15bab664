-- Library: what one event does to an attempt. The only writer of an attempt's state.
-- An attempt's state is that of its highest-ranked event, so any order and any number of repeats end
-- in the same state, with the same moments. core/delivery/attempt.py names the kinds and says why
-- they rank as they do; a test holds the two lists together.

local RANK = {
    requested = 0, unconfirmed = 1, accepted = 2, queued = 3, ringing = 3, sent = 4, answered = 4,
    unreported = 5, rejected = 6, failed = 7, undelivered = 8, delivered = 9,
}
local STATE = { unconfirmed = "unknown", unreported = "unknown" }

-- event: kind, at_ms, heard_ms, source, and fields (a flat array of name, value: what the event says
-- of the attempt: reference, error_code, hangup_cause, carrier, units, cost_micros …).
-- Returns {outcome, state}; outcome: applied, repeated, late, orphan.
-- Invariant: nothing is written for an attempt that is not there (it would have no TTL).
local function apply_event(attempt_key, events_key, event, keep_ms)
    local kind = event.kind
    local known = redis.call("HMGET", attempt_key, "state", "rank", kind .. "_ms")
    if not known[1] and kind ~= "requested" then return { "orphan", "" } end
    local state, rank = known[1] or "", tonumber(known[2] or "-1")
    local outcome, write = "late", { kind .. "_ms", event.at_ms }
    if known[3] then
        outcome, write = "repeated", {}
    elseif RANK[kind] > rank then
        outcome, state = "applied", STATE[kind] or kind
        write = { kind .. "_ms", event.at_ms, "state", state, "rank", RANK[kind] }
    end
    -- What an event adds to the record is added once. The first word stands, save that the event
    -- which sets the state also sets the reason for it.
    for i = 1, #event.fields, 2 do
        local name, value = event.fields[i], event.fields[i + 1]
        -- A reference is the one thing no later event may change: it says whose call may speak.
        if outcome == "applied" and not (name == "reference" and known[1]) then
            write[#write + 1] = name
            write[#write + 1] = value
        else
            redis.call("HSETNX", attempt_key, name, value)
        end
    end
    if #write > 0 then redis.call("HSET", attempt_key, unpack(write)) end
    redis.call("PEXPIRE", attempt_key, keep_ms)
    redis.call("XADD", events_key, "MAXLEN", 100, "*", "event",
        table.concat({ kind, outcome, event.at_ms, event.heard_ms, event.source }, " "))
    redis.call("PEXPIRE", events_key, keep_ms)
    -- Rollups belong here: this is the one place that knows an event counts, and what it replaced.
    return { outcome, state }
end
