-- Reserve the budget, write the verification and its first attempt; or say why not.
-- KEYS[1]  idempotency string   KEYS[2]  verification hash   KEYS[3]  spend of the day
-- KEYS[4]  first attempt        KEYS[5]  its events stream   KEYS[6]  attempts to be asked after
-- KEYS[7…] budget lists; after them, only where events are told: open verifications by their expiry,
-- queue of events, events by id
-- ARGV[1]  now, Unix ms         ARGV[2]  verification id     ARGV[3]  keep, ms
-- ARGV[4]  price in micros      ARGV[5]  spend limit in micros
-- ARGV[6]  "enforce": a spent budget refuses; "warn": it is noted with the attempt, which goes out
-- ARGV[7]  first cooldown, ms   ARGV[8]  when it expires, Unix ms; "" where no events are told
-- ARGV[9]  when the attempt is asked after, Unix ms           ARGV[10] keep of that list, ms
-- ARGV[11] length of the hash that follows (n), names and values
-- ARGV[12+n]  length of the attempt's record that follows (m); after that the budgets
-- Returns  {"started"} | {"duplicate", verification id}
--          | {"locked" | "over_budget" | "not_allowed", name, retry_ms, limit}
-- Invariant: nothing is written unless the answer is "started", and then all of it is: a process that
--            dies right after leaves an attempt that another one asks after.
-- Continues with: apply_event give_back record_exchange
-- include _budgets
-- include _ledger
local now, price = tonumber(ARGV[1]), tonumber(ARGV[4])
local made = redis.call("GET", KEYS[1])
if made then return { "duplicate", made } end
local n = tonumber(ARGV[11])
local m = tonumber(ARGV[12 + n])
local budgets = read_budgets(13 + n + m)
local refused = refusal(budgets, now, KEYS[3], price, tonumber(ARGV[5]))
if refused and (ARGV[6] == "enforce" or refused[1] == "not_allowed") then return refused end
redis.call("SET", KEYS[1], ARGV[2], "PX", ARGV[3])
redis.call("HSET", KEYS[2], unpack(ARGV, 12, 11 + n))
redis.call("HSET", KEYS[2], "status", "pending", "attempts", 1, "next_send_ms", now + tonumber(ARGV[7]))
redis.call("PEXPIRE", KEYS[2], ARGV[3])
spend(budgets, ARGV[1], ARGV[2] .. "-1", KEYS[3], price)
local record = { unpack(ARGV, 13 + n, 12 + n + m) }
add_warning(record, refused, now)
local event = { kind = "requested", at_ms = ARGV[1], heard_ms = ARGV[1], source = "app", fields = record }
request_attempt(KEYS[4], KEYS[5], event, ARGV[3])
redis.call("ZADD", KEYS[6], ARGV[9], ARGV[2] .. "-1")
redis.call("PEXPIRE", KEYS[6], ARGV[10])
if ARGV[8] ~= "" then
-- include _outbox
    local expiries, queue, events = unpack(KEYS, #KEYS - 2)
    redis.call("ZADD", expiries, ARGV[8], ARGV[2])
    redis.call("PEXPIRE", expiries, KEEP_MS)
    local about = { type = "requested", at_ms = ARGV[1], verification = ARGV[2] }
    queue_event(queue, events, about, KEYS[2], KEYS[4], ARGV[1])
end
return { "started" }
