-- Reserve the budget for one more attempt of an open verification, or say why not.
-- KEYS[1]  verification hash    KEYS[2]  failures of the number   KEYS[3]  spend of the day
-- KEYS[4…] budget lists
-- ARGV[1]  now, Unix ms         ARGV[2]  verification id          ARGV[3]  keep, ms
-- ARGV[4]  price in micros      ARGV[5]  spend limit in micros
-- ARGV[6]  attempts the caller has seen                           ARGV[7]  next cooldown, ms
-- ARGV[8]  "1" when the cooldown need not have passed (a call in place of a failed or silent SMS)
-- ARGV[9]  channel              ARGV[10] mode                     ARGV[11…] quadruples of budgets
-- Returns  {"started", attempts} | {"duplicate", attempts} | {"not_found"} | {"closed", status}
--          | {"too_soon", "cooldown", retry_ms} | {"locked" | "over_budget", name, retry_ms}
-- Invariant: two callers who saw the same attempts send once: the second one is a duplicate.
-- include _budgets
local now = tonumber(ARGV[1])
local v = redis.call("HMGET", KEYS[1], "status", "expires_ms", "attempts", "next_send_ms")
if not v[1] then return { "not_found" } end
if v[1] ~= "pending" then return { "closed", v[1] } end
if now >= tonumber(v[2]) then return { "closed", "expired" } end
if v[3] ~= ARGV[6] then return { "duplicate", tonumber(v[3]) } end
local budgets, failures = {}, {}
for _, budget in ipairs(read_budgets(11)) do
    local which = budget.key == KEYS[2] and failures or budgets
    which[#which + 1] = budget
end
local spent = spent_budget(failures, now)
if spent then return { "locked", spent[1], spent[2] } end
if ARGV[8] ~= "1" and now < tonumber(v[4]) then
    return { "too_soon", "cooldown", tonumber(v[4]) - now }
end
spent = spent_budget(budgets, now)
if spent then return { "over_budget", spent[1], spent[2] } end
local price = tonumber(ARGV[4])
if tonumber(redis.call("GET", KEYS[3]) or "0") + price > tonumber(ARGV[5]) then
    return { "over_budget", "spend_per_day", 86400000 - now % 86400000 }
end
local attempts = redis.call("HINCRBY", KEYS[1], "attempts", 1)
redis.call("HSET", KEYS[1], "next_send_ms", now + tonumber(ARGV[7]),
    "channel", ARGV[9], "mode", ARGV[10])
redis.call("PEXPIRE", KEYS[1], ARGV[3])
spend_budgets(budgets, now, ARGV[2] .. "-" .. attempts)
redis.call("INCRBY", KEYS[3], price)
redis.call("PEXPIRE", KEYS[3], 172800000)
return { "started", attempts }
