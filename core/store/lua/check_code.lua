-- Check one entered code: count it, refuse when a budget is spent, then compare and consume.
-- KEYS     verification hash; failures of the number from this client address; failures of the number;
--          guesses of the number (all codes that were compared); history of the newest attempt;
--          journal. Only where webhooks are enabled also: queue of events, events by id
-- ARGV     in the order of `unpack` below, made by check_arguments and policy_arguments in
--          core/verification/check_records.py: now (Unix ms); digests of the entered and of the right code;
--          number of the newest attempt that the caller has seen; verification; "enforces", "warns" (a
--          spent budget is only noted in the verification) or "unlimited" (none is looked at); Pub/Sub
--          channel; keep of the journal, ms;
--          the lowest limit of the budgets; limit, window (ms) and name of the budget of each of the three
--          lists, in the order of KEYS
-- Returns  {outcome, checks_left, retry_ms, spent}; outcome is a CheckOutcome value, or {"moved",
--          attempts} when another attempt has been sent since: nothing was counted, call again with its
--          keys. `spent` is the budget without room, as core/model/attempt.py reads it, or "".
-- Invariant: the first check of a verification needs room in the last budget only, so wrong codes of a
--            stranger do not lock the owner of the number out; no guess of any kind exceeds that budget.
-- Invariant: the count is written first, and no code is compared beyond the budget: parallel guesses
--            cannot share a count, and the right code on the last check is accepted.
-- Invariant: nothing is written unless the verification exists (its key would have no TTL).
-- Why "==" is safe: both sides are keyed digests, so timing says nothing about the code.
-- Hot path (tests/benchmarks/check.py): the arguments are a list, since decoding JSON took a fifth of the time
-- of this script. The budgets are written out here instead of with _budgets, whose tables cost more than all
-- commands below.
-- include _publish
-- include _journal
local now_ms, entered, expected, seen, verification, mode, changes, keep_ms, lowest_limit,
    address_limit, address_window, address_name, failures_limit, failures_window, failures_name,
    guesses_limit, guesses_window, guesses_name = unpack(ARGV)
local verification_key, address_key, failures_key, guesses_key, history_key, journal_key, queue, events =
    unpack(KEYS)
local now = tonumber(now_ms)
local checked_field = "checked_ms_" .. seen
local status, expires_ms, attempts, checks_left, checked_ms, checks_allowed = unpack(redis.call(
    "HMGET", verification_key, "status", "expires_ms", "attempts", "checks_left", checked_field,
    "checks_allowed"))
if not status then return { "not_found", 0, 0, "" } end
if tonumber(attempts) ~= tonumber(seen) then return { "moved", tonumber(attempts), 0, "" } end
if status == "verified" then return { "used", 0, 0, "" } end
if status ~= "pending" then return { status, 0, 0, "" } end
if now >= tonumber(expires_ms) then return { "expired", 0, 0, "" } end

local retry_ms, over_budget = 0, nil
local function look_at(key, limit, window, name)
    local entry = redis.call("LINDEX", key, limit - 1)
    local wait = entry and tonumber(entry) + window - now or 0
    if wait > retry_ms then
        -- In the form that core/model/attempt.py reads (OverBudget).
        retry_ms, over_budget = wait, string.format("%s %d %d", name, limit, now + wait)
    end
end
-- Every failure is a guess, so where there are few guesses no budget is spent.
if mode ~= "unlimited" and redis.call("LINDEX", guesses_key, lowest_limit - 1) then
    if checks_left ~= checks_allowed then
        look_at(address_key, address_limit, address_window, address_name)
        look_at(failures_key, failures_limit, failures_window, failures_name)
    end
    look_at(guesses_key, guesses_limit, guesses_window, guesses_name)
    if over_budget and mode == "enforces" then return { "number_locked", 0, retry_ms, over_budget } end
end

local function count(key, limit, window)
    if redis.call("LPUSH", key, now_ms) > tonumber(limit) then redis.call("LTRIM", key, 0, limit - 1) end
    redis.call("PEXPIRE", key, window)
end

local left = tonumber(checks_left) - 1
local write = { "checks_left", left }
if not checked_ms then
    write[3], write[4] = checked_field, now_ms
end
if over_budget then
    write[#write + 1], write[#write + 2] = "over_budget", over_budget
end
local outcome, kind
if entered == expected then
    outcome, kind = "approved", "verified"
    redis.call("HSET", verification_key, "status", "verified", "verified_ms", now_ms, unpack(write))
else
    outcome, kind = "wrong_code", "checked"
    redis.call("HSET", verification_key, "status", left == 0 and "locked" or "pending", unpack(write))
    count(address_key, address_limit, address_window)
    count(failures_key, failures_limit, failures_window)
end
count(guesses_key, guesses_limit, guesses_window)
if queue and (kind == "verified" or left == 0) then
-- include _outbox
    local about = { type = "verified", at_ms = now_ms, verification = verification }
    if kind ~= "verified" then about.type, about.reason = "failed", "locked" end
    queue_event(queue, events, about, verification_key, nil, now_ms)
end
-- The event in the history, as _ledger.lua writes it. RPUSHX: a list that has ended would come back without
-- a TTL.
if redis.call("RPUSHX", history_key, kind .. " fact " .. now_ms .. " " .. now_ms .. " app") > 100 then
    redis.call("LTRIM", history_key, -100, -1)
end
-- The figures count whether a code was entered, and whether it was right: only those are events. The fold
-- applies them to the attempt.
if kind == "verified" or not checked_ms then
    append_to_journal(journal_key, "check", verification .. "-" .. seen .. " " .. kind .. " " .. now_ms, keep_ms)
end
publish(changes, verification)
return { outcome, left, 0, over_budget or "" }
