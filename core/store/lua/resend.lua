-- Reserve the budget for one more attempt of an open verification and write it; or say why not.
-- KEYS[1]  verification hash    KEYS[2]  spend of the day
-- KEYS[3]  the next attempt     KEYS[4]  its events stream        KEYS[5]  attempts to be asked after
-- KEYS[6…] budget lists
-- ARGV[1]  now, Unix ms         ARGV[2]  verification id          ARGV[3]  keep, ms
-- ARGV[4]  price in micros      ARGV[5]  spend limit in micros
-- ARGV[6]  "enforce": a spent budget refuses; "warn": it is noted with the attempt, which goes out
-- ARGV[7]  attempts the caller has seen                           ARGV[8]  next cooldown, ms
-- ARGV[9]  "1" when the cooldown need not have passed (a call in place of a failed or silent SMS)
-- ARGV[10] channel              ARGV[11] mode                     ARGV[12] Pub/Sub channel
-- ARGV[13] when the attempt is asked after, Unix ms               ARGV[14] keep of that list, ms
-- ARGV[15] length of the attempt's record that follows (m); after that the budgets
-- Returns  {"started", next_send_ms before} | {"duplicate"} | {"not_found"} | {"closed", status}
--          | {"too_soon", "cooldown", retry_ms}
--          | {"locked" | "over_budget" | "not_allowed", name, retry_ms, limit}
-- Invariant: two callers who saw the same attempts send once: the second one is a duplicate.
-- include _publish
-- Continues with: apply_event give_back record_exchange
-- include _budgets
-- include _ledger
local now, price = tonumber(ARGV[1]), tonumber(ARGV[4])
local v = redis.call("HMGET", KEYS[1], "status", "expires_ms", "attempts", "next_send_ms")
if not v[1] then return { "not_found" } end
if v[1] ~= "pending" then return { "closed", v[1] } end
if now >= tonumber(v[2]) then return { "closed", "expired" } end
if v[3] ~= ARGV[7] then return { "duplicate" } end
local m = tonumber(ARGV[15])
local budgets = read_budgets(16 + m)
local enforce = ARGV[6] == "enforce"
local refused = refusal(budgets, now, KEYS[2], price, tonumber(ARGV[5]))
if refused and (refused[1] == "not_allowed" or enforce and refused[1] == "locked") then
    return refused
end
if ARGV[9] ~= "1" and now < tonumber(v[4]) then
    return { "too_soon", "cooldown", tonumber(v[4]) - now }
end
if enforce and refused then return refused end
local attempts = redis.call("HINCRBY", KEYS[1], "attempts", 1)
redis.call("HSET", KEYS[1], "next_send_ms", now + tonumber(ARGV[8]),
    "channel", ARGV[10], "mode", ARGV[11])
redis.call("PEXPIRE", KEYS[1], ARGV[3])
spend(budgets, ARGV[1], ARGV[2] .. "-" .. attempts, KEYS[2], price)
local record = { unpack(ARGV, 16, 15 + m) }
add_warning(record, refused, now)
local event = { kind = "requested", at_ms = ARGV[1], heard_ms = ARGV[1], source = "app", fields = record }
request_attempt(KEYS[3], KEYS[4], event, ARGV[3])
redis.call("ZADD", KEYS[5], ARGV[13], ARGV[2] .. "-" .. attempts)
redis.call("PEXPIRE", KEYS[5], ARGV[14])
publish(ARGV[12], ARGV[2])
return { "started", tonumber(v[4]) }
