-- Apply events to attempts, in their order, each exactly once. Where a counted record changes, append an
-- entry to the journal in the same step: the fold adds it to the figures.
-- KEYS     journal; counters of the day; recent attempts; queue of webhook events; those events by id.
--          Then of each event: attempt hash; its history; where the event has a reference, the
--          string of the reference; where it has a number_index, the number's attempts; where its change
--          may be reported to WEBHOOK_URL, the verification hash
-- Arguments:
--   events                  arrays: attempt, kind, moment it happened (Unix ms, text), source, fields,
--                           whether its change may be reported to WEBHOOK_URL
--   now_ms                  Unix ms, text           keep_ms            of attempts, from their request
--   least_keep_ms           of an attempt that is applied late         keep_counters_ms
--   keep_journal_ms         changes                 Pub/Sub channel
--   layout                  version of the figures: an attempt that was counted with another one is
--                           counted again
--   is_recorded             the events are in the attempts' histories and reported already
--   is_counted              the figures include the events already; repeats are not recorded
-- Returns  of each event: outcome (applied, repeated, late, orphan, unreadable), state
-- Invariant: nothing is written for an attempt that does not exist (it would have no TTL), except by
--            `requested`.
-- include _publish
-- include _arguments
-- include _ledger
-- include _journal
-- include _counted
-- include _outbox
local journal_key, counters_key, recent_key, queue_key, queued_events_key = unpack(KEYS, 1, 5)
local now_ms = args.now_ms
local now = tonumber(now_ms)

-- The plan of an event that was applied before and whose fields are all set; nil for any other event. Half
-- of what Plivo reports it reports twice, so this must not read the whole record.
local function plan_of_repeat(event, attempt_key)
    local names = { "state", "counted", event.kind .. "_ms" }
    for name in pairs(event.fields) do
        if event.source == "log" and SETTLED_BY_LOG[name] then return nil end
        names[#names + 1] = name
    end
    local values = redis.call("HMGET", attempt_key, unpack(names))
    if values[2] ~= args.layout then return nil end
    for i = 1, #names do
        if not values[i] then return nil end
    end
    return { outcome = "repeated", state = values[1] }
end

-- What is to be written for an event; nothing is written here, so an error of a record that cannot be
-- read leaves nothing half done.
local function plan(event, attempt_key)
    local repeated = plan_of_repeat(event, attempt_key)
    if repeated then return repeated end
    local record = read_attempt(attempt_key)
    local known = record.state ~= nil
    if not known and event.kind ~= "requested" then return { outcome = "orphan", state = "" } end
    local outcome, state, write = effect(record, known, event)
    local planned = { outcome = outcome, state = state, known = known, write = write,
        state_before = record.state }
    if record.counted == args.layout and not next(write) then return planned end
    local was_lost = LOST[record.rank]
    planned.entry = counted_change(record, write, args.layout)
    planned.requested_ms = number(record.requested_ms)
    planned.keep_ms = math.max(args.least_keep_ms, planned.requested_ms + args.keep_ms - now)
    -- Which attempt can have brought a right code depends on all attempts of the verification.
    if record.attempts then
        if LOST[record.rank] ~= was_lost then planned.attempts = record.attempts end
    elseif record.verified_ms and ORIGIN[record.origin or "first"] ~= 0 then
        planned.attempts = string.match(event.attempt, "%d+$")
    end
    return planned
end

local counts, changed = {}, {}
local function count(name) counts[name] = (counts[name] or 0) + 1 end

-- The journal first: a change without its entry would never be counted.
local function commit(planned, event, keys)
    local keep_ms, write = planned.keep_ms, planned.write
    if planned.entry and not args.is_counted then
        append_to_journal(journal_key, args.layout, planned.entry, args.keep_journal_ms)
    end
    write_attempt(keys.attempt, write, planned.known, keep_ms)
    if not planned.known then
        list_attempt(recent_key, event.attempt, planned.requested_ms, args.keep_ms)
        if keys.number then
            list_attempt(keys.number, event.attempt, planned.requested_ms, args.keep_ms)
        end
    end
    if (write.reference or "") ~= "" then redis.call("SET", keys.reference, event.attempt, "PX", keep_ms) end
    local verification = string.match(event.attempt, "^(.*)%-") or ""
    if planned.attempts and not args.is_counted then
        local newest = verification .. "-" .. planned.attempts
        append_to_journal(journal_key, "attribute", newest, args.keep_journal_ms)
    end
    if keys.verification then
        local about = { type = event_type_of(planned.state_before, write), at_ms = event.at_ms,
            verification = verification, attempt = event.attempt }
        if about.type then
            queue_event(queue_key, queued_events_key, about, keys.verification, keys.attempt, now_ms)
        end
    end
    if not changed[verification] then
        changed[verification] = true
        changed[#changed + 1] = verification
    end
end

local function append_to_history(planned, event, history_key)
    local outcome = planned.outcome
    local is_fact = (event.kind == "checked" or event.kind == "verified") and outcome == "applied"
    append_event(history_key, event, is_fact and "fact" or outcome, planned.keep_ms or args.keep_ms)
end

local answers, key = {}, 6
local function next_key()
    key = key + 1
    return KEYS[key - 1]
end
for i, values in ipairs(args.events) do
    local event = { attempt = values[1], kind = values[2], at_ms = values[3], received_ms = now_ms,
        source = values[4], fields = values[5] }
    local keys = { attempt = next_key(), history = next_key() }
    if event.fields.reference then keys.reference = next_key() end
    if event.fields.number_index then keys.number = next_key() end
    if values[6] then keys.verification = next_key() end
    local readable, planned = pcall(plan, event, keys.attempt)
    if not readable then planned = { outcome = "unreadable", state = "" } end
    local outcome = planned.outcome
    local is_silent = args.is_recorded or (args.is_counted and outcome == "repeated")
    if outcome ~= "orphan" and outcome ~= "unreadable" then
        if planned.keep_ms then commit(planned, event, keys) end
        if not is_silent then append_to_history(planned, event, keys.history) end
    end
    if outcome == "unreadable" then outcome = "orphan" end
    if outcome ~= "applied" and not is_silent then count(outcome) end
    answers[2 * i - 1], answers[2 * i] = planned.outcome, planned.state
end
for name, n in pairs(counts) do
    if redis.call("HINCRBY", counters_key, name, n) == n then
        redis.call("PEXPIRE", counters_key, args.keep_counters_ms)
    end
end
for _, verification in ipairs(changed) do publish(args.changes, verification) end
return answers
