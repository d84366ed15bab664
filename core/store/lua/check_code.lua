-- Check one entered code: count it, refuse when the budget is spent, then compare and consume.
-- KEYS[1]  verification hash    KEYS[2]  failures of the number
-- KEYS[3]  newest attempt       KEYS[4]  its events stream
-- ARGV[1]  now, Unix ms         ARGV[2]  digest of the entered code     ARGV[3]  digest of the right one
-- ARGV[4]  number of the newest attempt, as the caller knows it         ARGV[5]  keep, ms
-- ARGV[6]  Pub/Sub channel      ARGV[7]  verification                   ARGV[8…] quadruples of budgets
-- Returns  {outcome, checks_left, retry_ms}; outcome is a CheckOutcome value, or {"moved", attempts}
--          when another attempt has been sent since: nothing was counted, ask again with its keys.
-- Invariant: the guess is counted before it is compared, and none is compared beyond the budget, so
--            parallel guesses cannot share a count and the right code on the last check is accepted.
-- Invariant: nothing is written unless the verification exists (its key would have no TTL).
-- Why "==" is safe: both sides are keyed digests, so timing says nothing about the code.
-- include _budgets
-- include _ledger
local now = tonumber(ARGV[1])
local v = redis.call("HMGET", KEYS[1], "status", "expires_ms", "sends")
if not v[1] then return { "not_found", 0, 0 } end
if v[3] ~= ARGV[4] then return { "moved", tonumber(v[3]), 0 } end
if v[1] == "verified" then return { "used", 0, 0 } end
if v[1] ~= "pending" then return { v[1], 0, 0 } end
if now >= tonumber(v[2]) then return { "expired", 0, 0 } end
local budgets = read_budgets(8)
local spent = spent_budget(budgets, now)
if spent then return { "number_locked", 0, spent[2] } end
local left = redis.call("HINCRBY", KEYS[1], "checks_left", -1)
local event = { at_ms = now, heard_ms = now, source = "app", fields = {} }
local outcome
if ARGV[2] == ARGV[3] then
    outcome, event.kind = "approved", "verified"
    redis.call("HSET", KEYS[1], "status", "verified", "verified_ms", now)
else
    outcome, event.kind = "wrong_code", "checked"
    spend_budgets(budgets, now, ARGV[7])
    if left == 0 then redis.call("HSET", KEYS[1], "status", "locked", "locked_ms", now) end
end
apply_event(KEYS[3], KEYS[4], event, ARGV[5])
redis.call("PUBLISH", ARGV[6], ARGV[7])
return { outcome, left, 0 }
