-- Library: applies an event to an attempt. Nothing else writes an attempt's state.
-- An attempt's state is that of its highest-ranked event, so any order and any number of repeats end
-- in the same state, with the same moments. core/model/attempt.py names the kinds and gives the reasons
-- for their ranks; a test compares the two lists. What people did with the code (checked, verified) is
-- kept as a moment and changes no state.

local RANK = {
    requested = 0, unconfirmed = 1, accepted = 2, queued = 3, ringing = 3, sent = 4, answered = 4,
    unreported = 5, rejected = 6, failed = 7, undelivered = 8, delivered = 9,
}
local STATE = { unconfirmed = "unknown", unreported = "unknown" }

-- The log has the final price of an attempt; a callback may arrive before the price is final.
local SETTLED_BY_LOG = { cost_micros = true, units = true }

-- Read these fields of the attempt into `record`; a field that does not exist is nil.
local function read_attempt(attempt_key, names, record)
    local values = redis.call("HMGET", attempt_key, unpack(names))
    for i, name in ipairs(names) do record[name] = values[i] or nil end
end

-- The fields of the attempt that `event` may change, and whether the attempt exists.
-- event: kind, at_ms, heard_ms (when it was received), source, and fields (a flat array of name, value:
-- reference, error_code, hangup_cause, carrier, units, cost_micros …).
local function read_for(attempt_key, event)
    local names = { "state", "rank", "booked", event.kind .. "_ms" }
    for i = 1, #event.fields, 2 do names[#names + 1] = event.fields[i] end
    local record = {}
    read_attempt(attempt_key, names, record)
    return record, record.state ~= nil
end

-- The effect of the event: outcome (applied, repeated, late), the attempt's state, and the fields to
-- write.
local function effect(record, known, event)
    local kind, write = event.kind, {}
    local outcome, state = "late", record.state or ""
    if record[kind .. "_ms"] then
        outcome = "repeated"
    else
        write[kind .. "_ms"] = event.at_ms
        local rank = RANK[kind]
        if not rank then
            outcome = "applied"
        elseif rank > tonumber(record.rank or "-1") then
            outcome, state = "applied", STATE[kind] or kind
            write.state, write.rank = state, tostring(rank)
        end
    end
    -- A field is set once: the first event that has it wins. But the event that sets the state also sets
    -- its fields, since they are the reason for the state.
    for i = 1, #event.fields, 2 do
        local name, value = event.fields[i], event.fields[i + 1]
        -- No later event may change a reference: it identifies the call that may read the code out.
        local sets = write.state and not (name == "reference" and known)
        if sets or not record[name] or (event.source == "log" and SETTLED_BY_LOG[name]) then
            write[name] = value
        end
    end
    return outcome, state, write
end

-- Invariant: the TTL of an attempt is set when it is created and never changes, so later events do not
-- set it.
local function write_attempt(attempt_key, write, known, keep_ms)
    local flat, n = {}, 0
    for name, value in pairs(write) do
        flat[n + 1], flat[n + 2] = name, value
        n = n + 2
    end
    if n > 0 then redis.call("HSET", attempt_key, unpack(flat)) end
    if not known then redis.call("PEXPIRE", attempt_key, keep_ms) end
end

local function append_event(events_key, event, outcome, keep_ms)
    local entry = table.concat({ event.kind, outcome, event.at_ms, event.heard_ms, event.source }, " ")
    if not redis.call("XADD", events_key, "NOMKSTREAM", "MAXLEN", 100, "*", "event", entry) then
        redis.call("XADD", events_key, "*", "event", entry)
        redis.call("PEXPIRE", events_key, keep_ms)
    end
end

-- Write a new attempt before Plivo is called. Its next event adds it to the lists and the figures.
local function request_attempt(attempt_key, events_key, event, keep_ms)
    local record, known = read_for(attempt_key, event)
    local outcome, _, write = effect(record, known, event)
    write_attempt(attempt_key, write, known, keep_ms)
    append_event(events_key, event, outcome, keep_ms)
end
