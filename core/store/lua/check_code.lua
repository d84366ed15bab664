-- Check one entered code: count it, refuse when the budget is spent, then compare and consume.
-- KEYS[1]  verification hash    KEYS[2]  failures of the number
-- KEYS[3]  events stream of the newest attempt                   KEYS[4]  checks to be booked
-- KEYS[5]  queue of events      KEYS[6]  events by id; both only where events are told
-- ARGV[1]  now, Unix ms         ARGV[2]  digest of the entered code     ARGV[3]  digest of the right one
-- ARGV[4]  number of the newest attempt, as the caller knows it
-- ARGV[5]  Pub/Sub channel      ARGV[6]  verification
-- ARGV[7]  keep of the checks to be booked, ms
-- ARGV[8]  the longest window of the failure budgets, ms
-- ARGV[9…] limit and window (ms) of each failure budget, the lowest limit first
-- Returns  {outcome, checks_left, retry_ms}; outcome is a CheckOutcome value, or {"moved", attempts}
--          when another attempt has been sent since: nothing was counted, ask again with its keys.
-- Invariant: the first thing written is the count, and none is compared beyond the budget: parallel
--            guesses cannot share a count, and the right code on the last check is accepted.
-- Invariant: nothing is written unless the verification exists (its key would have no TTL).
-- Why "==" is safe: both sides are keyed digests, so timing says nothing about the code.
-- The budget is written out here, and not by _budgets, because this is the hot path: that library
-- serves any number of lists, and its tables cost more than all the commands below.
-- include _publish
local now = tonumber(ARGV[1])
local checked = "checked_ms_" .. ARGV[4]
local v = redis.call("HMGET", KEYS[1], "status", "expires_ms", "attempts", "checks_left", checked)
local status = v[1]
if not status then return { "not_found", 0, 0 } end
if v[3] ~= ARGV[4] then return { "moved", tonumber(v[3]), 0 } end
if status == "verified" then return { "used", 0, 0 } end
if status ~= "pending" then return { status, 0, 0 } end
if now >= tonumber(v[2]) then return { "expired", 0, 0 } end

local retry = 0
for i = 9, #ARGV - 1, 2 do
    local entry = redis.call("LINDEX", KEYS[2], tonumber(ARGV[i]) - 1)
    -- A list too short for this limit is too short for every higher one.
    if not entry then break end
    retry = math.max(retry, tonumber(entry) + tonumber(ARGV[i + 1]) - now)
end
if retry > 0 then return { "number_locked", 0, retry } end

local left = tonumber(v[4]) - 1
local write = { "checks_left", left }
if not v[5] then
    write[3], write[4] = checked, ARGV[1]
end
local outcome, fact
if ARGV[2] == ARGV[3] then
    outcome, fact = "approved", "verified"
    redis.call("HSET", KEYS[1], "status", "verified", "verified_ms", ARGV[1], unpack(write))
else
    outcome, fact = "wrong_code", "checked"
    local status = left == 0 and "locked" or "pending"
    redis.call("HSET", KEYS[1], "status", status, unpack(write))
    local most = tonumber(ARGV[#ARGV - 1])
    if redis.call("LPUSH", KEYS[2], ARGV[1]) > most then redis.call("LTRIM", KEYS[2], 0, most - 1) end
    redis.call("PEXPIRE", KEYS[2], ARGV[8])
end
if KEYS[5] and (fact == "verified" or left == 0) then
-- include _outbox
    local about = { type = "verified", at_ms = ARGV[1], verification = ARGV[6] }
    if fact ~= "verified" then about.type, about.reason = "failed", "locked" end
    queue_event(KEYS[5], KEYS[6], about, KEYS[1], nil, ARGV[1])
end
-- The ledger's event of this check. NOMKSTREAM: a stream that has gone would come back without a TTL.
redis.call("XADD", KEYS[3], "NOMKSTREAM", "MAXLEN", 100, "*",
    "event", fact .. " fact " .. ARGV[1] .. " " .. ARGV[1] .. " app")
-- The figures count whether a code was entered, and whether it was right: only then is there news.
if fact == "verified" or not v[5] then
    local entry = ARGV[6] .. "-" .. ARGV[4] .. " " .. fact .. " " .. ARGV[1]
    if redis.call("RPUSH", KEYS[4], entry) == 1 then redis.call("PEXPIRE", KEYS[4], ARGV[7]) end
end
publish(ARGV[5], ARGV[6])
return { outcome, left, 0 }
