-- Reserve the budget, write the verification and its first attempt; or refuse.
-- KEYS     idempotency string; verification hash; spend of the day; first attempt; its history;
--          attempts to poll; recent attempts; attempts of the number; budget lists. At the end, only where
--          webhooks are enabled: open verifications by their expiry, queue of events, events by id
-- Arguments:
--   those of _reserved_attempt.lua, `record` being that of the first attempt
--   fields                  of the verification
--   expires_ms              only where webhooks are enabled: when the verification expires, Unix ms
-- Returns  JSON {result, …}: "started" | "duplicate", verification
--          | "locked" | "over_budget" | "not_allowed", budget, retry_ms, limit
-- Invariant: nothing is written unless the result is "started", and then all of it is: if the process dies
--            right after, another one polls the attempt.
-- Continues with: apply give_back record_exchange
-- include _reserved_attempt
local start_key, verification_key, spend_key, attempt_key, history_key, polled_key, recent_key, number_key =
    unpack(KEYS)
local existing = redis.call("GET", start_key)
if existing then return cjson.encode({ result = "duplicate", verification = existing }) end
local refused = attempt_refusal(spend_key)
if refused and (args.enforces or refused.result == "not_allowed") then return cjson.encode(refused) end
local attempt = args.verification .. "-1"
redis.call("SET", start_key, args.verification, "PX", args.keep_ms)
redis.call("HSET", verification_key, unpack(flat(args.fields)))
redis.call("HSET", verification_key, "status", "pending", "attempts", 1,
    "next_send_ms", now + args.cooldown_ms)
redis.call("PEXPIRE", verification_key, args.keep_ms)
write_reserved_attempt(attempt, refused, spend_key, { attempt = attempt_key, history = history_key,
    recent = recent_key, number = number_key, polled = polled_key })
if args.expires_ms then
-- include _outbox
    local expiries, queue, events = unpack(KEYS, #KEYS - 2)
    redis.call("ZADD", expiries, args.expires_ms, args.verification)
    redis.call("PEXPIRE", expiries, KEEP_MS)
    local about = { type = "requested", at_ms = now_ms, verification = args.verification }
    queue_event(queue, events, about, verification_key, attempt_key, now_ms)
end
return '{"result":"started"}'
