-- Check one entered code: count it, refuse when the budget is spent, then compare and consume.
-- KEYS[1]  verification hash
-- KEYS[2]  failures of the number from this client address       KEYS[3]  failures of the number
-- KEYS[4]  guesses of the number: all codes that were compared
-- KEYS[5]  events stream of the newest attempt                   KEYS[6]  checks to be booked
-- KEYS[7]  queue of events      KEYS[8]  events by id; both only where events are told
-- ARGV[1]  now, Unix ms         ARGV[2]  digest of the entered code     ARGV[3]  digest of the right one
-- ARGV[4]  number of the newest attempt, as the caller knows it
-- ARGV[5]  Pub/Sub channel      ARGV[6]  verification
-- ARGV[7]  keep of the checks to be booked, ms
-- ARGV[8]  "enforce": a spent budget refuses; "warn": it is noted with the verification
-- ARGV[9]  the lowest of the limits that follow
-- ARGV[10…18] name, limit and window (ms) of the budgets of KEYS[2], KEYS[3] and KEYS[4]
-- Returns  {outcome, checks_left, retry_ms, spent}; outcome is a CheckOutcome value, or {"moved",
--          attempts} when another attempt has been sent since: nothing was counted, ask again with its
--          keys. `spent` is the budget without room, as core/model/attempt.py reads it, or "".
-- Invariant: the first check of a verification meets the last budget alone, so a stranger's wrong codes
--            do not keep the owner of the number out; and no guess of any kind goes beyond that one.
-- Invariant: the first thing written is the count, and none is compared beyond the budget: parallel
--            guesses cannot share a count, and the right code on the last check is accepted.
-- Invariant: nothing is written unless the verification exists (its key would have no TTL).
-- Why "==" is safe: both sides are keyed digests, so timing says nothing about the code.
-- The budget is written out here, and not by _budgets, because this is the hot path: that library
-- serves any number of lists, and its tables cost more than all the commands below.
-- include _publish
local now = tonumber(ARGV[1])
local checked = "checked_ms_" .. ARGV[4]
local v = redis.call("HMGET", KEYS[1], "status", "expires_ms", "attempts", "checks_left", checked,
    "checks_allowed")
local status = v[1]
if not status then return { "not_found", 0, 0, "" } end
if v[3] ~= ARGV[4] then return { "moved", tonumber(v[3]), 0, "" } end
if status == "verified" then return { "used", 0, 0, "" } end
if status ~= "pending" then return { status, 0, 0, "" } end
if now >= tonumber(v[2]) then return { "expired", 0, 0, "" } end

local retry, spent = 0, nil
-- Every failure is a guess, so where there are few guesses no budget is spent.
if redis.call("LINDEX", KEYS[4], tonumber(ARGV[9]) - 1) then
    for i = v[4] == v[6] and 3 or 1, 3 do
        local at = 7 + 3 * i
        local entry = redis.call("LINDEX", KEYS[1 + i], tonumber(ARGV[at + 1]) - 1)
        local wait = entry and tonumber(entry) + tonumber(ARGV[at + 2]) - now or 0
        if wait > retry then retry, spent = wait, at end
    end
end
local over = ""
if spent then
    over = string.format("%s %d %d", ARGV[spent], ARGV[spent + 1], now + retry)
    if ARGV[8] == "enforce" then return { "number_locked", 0, retry, over } end
end

local function count(key, limit, window)
    if redis.call("LPUSH", key, ARGV[1]) > tonumber(limit) then
        redis.call("LTRIM", key, 0, tonumber(limit) - 1)
    end
    redis.call("PEXPIRE", key, window)
end

local left = tonumber(v[4]) - 1
local write = { "checks_left", left }
if not v[5] then
    write[3], write[4] = checked, ARGV[1]
end
if spent then
    write[#write + 1], write[#write + 2] = "over_budget", over
end
local outcome, fact
if ARGV[2] == ARGV[3] then
    outcome, fact = "approved", "verified"
    redis.call("HSET", KEYS[1], "status", "verified", "verified_ms", ARGV[1], unpack(write))
else
    outcome, fact = "wrong_code", "checked"
    local status = left == 0 and "locked" or "pending"
    redis.call("HSET", KEYS[1], "status", status, unpack(write))
    count(KEYS[2], ARGV[11], ARGV[12])
    count(KEYS[3], ARGV[14], ARGV[15])
end
count(KEYS[4], ARGV[17], ARGV[18])
if KEYS[7] and (fact == "verified" or left == 0) then
-- include _outbox
    local about = { type = "verified", at_ms = ARGV[1], verification = ARGV[6] }
    if fact ~= "verified" then about.type, about.reason = "failed", "locked" end
    queue_event(KEYS[7], KEYS[8], about, KEYS[1], nil, ARGV[1])
end
-- The ledger's event of this check. NOMKSTREAM: a stream that has gone would come back without a TTL.
redis.call("XADD", KEYS[5], "NOMKSTREAM", "MAXLEN", 100, "*",
    "event", fact .. " fact " .. ARGV[1] .. " " .. ARGV[1] .. " app")
-- The figures count whether a code was entered, and whether it was right: only then is there news.
if fact == "verified" or not v[5] then
    local entry = ARGV[6] .. "-" .. ARGV[4] .. " " .. fact .. " " .. ARGV[1]
    if redis.call("RPUSH", KEYS[6], entry) == 1 then redis.call("PEXPIRE", KEYS[6], ARGV[7]) end
end
publish(ARGV[5], ARGV[6])
return { outcome, left, 0, over }
