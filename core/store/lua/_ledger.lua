-- Library: applies an event to an attempt. Nothing else writes an attempt's state.
-- An attempt's state is that of its highest-ranked event, so any order and any number of repeats end
-- in the same state, with the same moments. core/model/attempt.py has the same ranks and gives the
-- reasons for them; a test compares the two lists. What people did with the code (checked, verified) is
-- kept as a moment and changes no state.

local RANK = {
    requested = 0, unconfirmed = 1, accepted = 2, queued = 3, ringing = 3, sent = 4, answered = 4,
    unreported = 5, rejected = 6, failed = 7, undelivered = 8, delivered = 9,
}
local STATE = { unconfirmed = "unclear", unreported = "unknown" }

-- The log has the final price of an attempt; a callback may have been sent before the price was final, and
-- may arrive after the log was read. The field that says that the log has set the value:
local SETTLED_BY_LOG = { cost_micros = "cost_by_log", units = "units_by_log" }

-- Fields that no later event may change. A reference identifies the call that may read the code out.
-- The others say where the attempt is counted: a difference of two records must be of one place.
local PLACE = {
    channel = true, mode = true, region = true, carrier = true, origin = true, number_index = true,
}

-- The attempt's record; empty where there is none.
local function read_attempt(attempt_key)
    local flat, record = redis.call("HGETALL", attempt_key), {}
    for i = 1, #flat, 2 do record[flat[i]] = flat[i + 1] end
    return record
end

-- Whether `event` sets the field `name` of a record.
local function sets_field(record, known, event, name, moves)
    if known and PLACE[name] then return not record[name] and not record.counted end
    if known and name == "reference" then return not record.reference end
    local settled = SETTLED_BY_LOG[name]
    if settled and event.source == "log" then return true end
    if settled and record[settled] then return false end
    -- A field is set once: the first event that has it wins. But the event that sets the state also
    -- sets its fields, since they are the reason for the state.
    return moves or not record[name]
end

-- The effect of the event: outcome (applied, repeated, late), the attempt's state, and the fields to
-- write. event: kind, at_ms, received_ms (when it was received), source, and fields (by name: reference,
-- error_code, hangup_cause, network, units, cost_micros …).
local function effect(record, known, event)
    local kind, write = event.kind, {}
    local outcome, state, moves = "late", record.state or "", false
    if record[kind .. "_ms"] then
        outcome = "repeated"
    else
        write[kind .. "_ms"] = event.at_ms
        local rank = RANK[kind]
        if not rank then
            outcome = "applied"
        elseif rank > tonumber(record.rank or "-1") then
            outcome, state, moves = "applied", STATE[kind] or kind, true
            write.state, write.rank = state, tostring(rank)
        end
    end
    for name, value in pairs(event.fields) do
        if sets_field(record, known, event, name, moves) then write[name] = value end
        local settled = SETTLED_BY_LOG[name]
        if settled and event.source == "log" then write[settled] = "1" end
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

-- Add an attempt to a list of attempts by the moment of their request.
local function list_attempt(list_key, attempt, requested_ms, keep_ms)
    redis.call("ZADD", list_key, requested_ms, attempt)
    redis.call("PEXPIRE", list_key, keep_ms)
end

-- The history of an attempt is a list of its newest events: a stream takes 4 kB however short it is.
local MOST_EVENTS = 100

-- RPUSHX: a new list needs a TTL.
local function append_event(history_key, event, outcome, keep_ms)
    local entry = table.concat({ event.kind, outcome, event.at_ms, event.received_ms, event.source }, " ")
    local length = redis.call("RPUSHX", history_key, entry)
    if length == 0 then
        redis.call("RPUSH", history_key, entry)
        redis.call("PEXPIRE", history_key, keep_ms)
    elseif length > MOST_EVENTS then
        redis.call("LTRIM", history_key, -MOST_EVENTS, -1)
    end
end

-- Write a new attempt before Plivo is called. Its next event adds it to the figures.
local function request_attempt(keys, attempt, event, keep_ms)
    local record = read_attempt(keys.attempt)
    local known = record.state ~= nil
    local outcome, _, write = effect(record, known, event)
    write_attempt(keys.attempt, write, known, keep_ms)
    append_event(keys.history, event, outcome, keep_ms)
    list_attempt(keys.recent, attempt, event.at_ms, keep_ms)
    list_attempt(keys.number, attempt, event.at_ms, keep_ms)
end
