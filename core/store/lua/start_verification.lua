-- Reserve the budget and write the verification, or say why not. One call, one send.
-- KEYS[1]  idempotency string   KEYS[2]  verification hash   KEYS[3]  failures of the number
-- KEYS[4]  spend of the day     KEYS[5…] budget lists
-- ARGV[1]  now, Unix ms         ARGV[2]  verification id     ARGV[3]  keep, ms
-- ARGV[4]  price in micros      ARGV[5]  spend limit in micros
-- ARGV[6]  first cooldown, ms   ARGV[7]  number of hash fields that follow (n)
-- ARGV[8 … 7+n]  fields and values of the hash; then quadruples of budgets
-- Returns  {"started"} | {"duplicate", verification id} | {"locked" | "over_budget", name, retry_ms}
-- Invariant: nothing is written unless the answer is "started".
-- include _budgets
local now = tonumber(ARGV[1])
local made = redis.call("GET", KEYS[1])
if made then return { "duplicate", made } end
local budgets, failures = {}, {}
for _, budget in ipairs(read_budgets(8 + tonumber(ARGV[7]))) do
    local which = budget.key == KEYS[3] and failures or budgets
    which[#which + 1] = budget
end
-- A number that may not be checked is not sent to: the code would be of no use.
local spent = spent_budget(failures, now)
if spent then return { "locked", spent[1], spent[2] } end
spent = spent_budget(budgets, now)
if spent then return { "over_budget", spent[1], spent[2] } end
local price = tonumber(ARGV[4])
if tonumber(redis.call("GET", KEYS[4]) or "0") + price > tonumber(ARGV[5]) then
    return { "over_budget", "spend_per_day", 86400000 - now % 86400000 }
end
redis.call("SET", KEYS[1], ARGV[2], "PX", ARGV[3])
redis.call("HSET", KEYS[2], unpack(ARGV, 8, 7 + tonumber(ARGV[7])))
redis.call("HSET", KEYS[2], "status", "pending", "attempts", 1, "next_send_ms", now + tonumber(ARGV[6]))
redis.call("PEXPIRE", KEYS[2], ARGV[3])
spend_budgets(budgets, now, ARGV[2] .. "-1")
redis.call("INCRBY", KEYS[4], price)
redis.call("PEXPIRE", KEYS[4], 172800000)
return { "started" }
