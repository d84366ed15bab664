-- Check one entered code: count it, refuse when a budget is spent, then compare and consume.
-- KEYS     verification hash; failures of the number from this client address; failures of the number;
--          guesses of the number (all codes that were compared); events stream of the newest attempt;
--          checks that the figures do not hold yet. Only where webhooks are enabled also: queue of events,
--          events by id
-- Arguments:
--   now_ms        Unix ms                       verification  id
--   entered, expected                           digests of the entered code and of the right one
--   attempts      number of the newest attempt, as far as the caller knows
-- ARGV[2]  JSON, the same for every check of a process:
--   enforces      false: a spent budget only warns, and is kept with the verification
--   changes       Pub/Sub channel               keep_ms       of the list of checks
--   budgets       {name, limit, window_ms} of the three lists above, in their order
--   lowest_limit  of those budgets
-- Returns  {outcome, checks_left, retry_ms, spent}; outcome is a CheckOutcome value, or {"moved",
--          attempts} when another attempt has been sent since: nothing was counted, call again with its
--          keys. `spent` is the budget without room, as core/model/attempt.py reads it, or "".
-- Invariant: the first check of a verification needs room in the last budget only, so wrong codes of a
--            stranger do not lock the owner of the number out; no guess of any kind exceeds that budget.
-- Invariant: the count is written first, and no code is compared beyond the budget: parallel guesses
--            cannot share a count, and the right code on the last check is accepted.
-- Invariant: nothing is written unless the verification exists (its key would have no TTL).
-- Why "==" is safe: both sides are keyed digests, so timing says nothing about the code.
-- Hot path (tests/benchmarks/check.py): the budgets are written out here instead of with _budgets, whose
-- tables cost more than all the commands below; and the answer is an array.
-- include _publish
-- include _arguments
local policy = cjson.decode(ARGV[2])
local verification_key, _, _, guesses_key, events_key, checks_key, queue, events = unpack(KEYS)
local FIRST_BUDGET = 2 -- index of its list in KEYS; the two others follow
local now, now_ms = args.now_ms, string.format("%d", args.now_ms)
local checked_field = "checked_ms_" .. args.attempts
local status, expires_ms, attempts, checks_left, checked_ms, checks_allowed = unpack(redis.call(
    "HMGET", verification_key, "status", "expires_ms", "attempts", "checks_left", checked_field,
    "checks_allowed"))
if not status then return { "not_found", 0, 0, "" } end
if tonumber(attempts) ~= args.attempts then return { "moved", tonumber(attempts), 0, "" } end
if status == "verified" then return { "used", 0, 0, "" } end
if status ~= "pending" then return { status, 0, 0, "" } end
if now >= tonumber(expires_ms) then return { "expired", 0, 0, "" } end

local retry_ms, spent = 0, nil
-- Every failure is a guess, so where there are few guesses no budget is spent.
if redis.call("LINDEX", guesses_key, policy.lowest_limit - 1) then
    for i = checks_left == checks_allowed and 3 or 1, 3 do
        local budget = policy.budgets[i]
        local entry = redis.call("LINDEX", KEYS[FIRST_BUDGET + i - 1], budget.limit - 1)
        local wait = entry and tonumber(entry) + budget.window_ms - now or 0
        if wait > retry_ms then retry_ms, spent = wait, budget end
    end
end
local over_budget = ""
if spent then
    over_budget = string.format("%s %d %d", spent.name, spent.limit, now + retry_ms)
    if policy.enforces then return { "number_locked", 0, retry_ms, over_budget } end
end

local function count(i)
    local key, budget = KEYS[FIRST_BUDGET + i - 1], policy.budgets[i]
    if redis.call("LPUSH", key, now_ms) > budget.limit then
        redis.call("LTRIM", key, 0, budget.limit - 1)
    end
    redis.call("PEXPIRE", key, budget.window_ms)
end

local left = tonumber(checks_left) - 1
local write = { "checks_left", left }
if not checked_ms then
    write[3], write[4] = checked_field, now_ms
end
if spent then
    write[#write + 1], write[#write + 2] = "over_budget", over_budget
end
local outcome, kind
if args.entered == args.expected then
    outcome, kind = "approved", "verified"
    redis.call("HSET", verification_key, "status", "verified", "verified_ms", now_ms, unpack(write))
else
    outcome, kind = "wrong_code", "checked"
    redis.call("HSET", verification_key, "status", left == 0 and "locked" or "pending", unpack(write))
    count(1)
    count(2)
end
count(3)
if queue and (kind == "verified" or left == 0) then
-- include _outbox
    local about = { type = "verified", at_ms = now_ms, verification = args.verification }
    if kind ~= "verified" then about.type, about.reason = "failed", "locked" end
    queue_event(queue, events, about, verification_key, nil, now_ms)
end
-- The ledger's event of this check. NOMKSTREAM: a stream that has ended would come back without a TTL.
redis.call("XADD", events_key, "NOMKSTREAM", "MAXLEN", 100, "*",
    "event", kind .. " fact " .. now_ms .. " " .. now_ms .. " app")
-- The figures count whether a code was entered, and whether it was right: only those are events.
if kind == "verified" or not checked_ms then
    local entry = args.verification .. "-" .. args.attempts .. " " .. kind .. " " .. now_ms
    if redis.call("RPUSH", checks_key, entry) == 1 then
        redis.call("PEXPIRE", checks_key, policy.keep_ms)
    end
end
publish(policy.changes, args.verification)
return { outcome, left, 0, over_budget }
