-- Reserve the budget, write the verification and its first attempt; or refuse.
-- KEYS     idempotency string; verification hash; spend of the day; first attempt; its events stream;
--          attempts to poll; budget lists. At the end, only where webhooks are enabled: open
--          verifications by their expiry, queue of events, events by id
-- Arguments:
--   now_ms                  Unix ms                 verification       id
--   keep_ms                 of the records          enforces           false: a spent budget only warns
--   price_micros, spend_limit_micros                cooldown_ms        before the first resend
--   poll_at_ms, poll_keep_ms                        when the attempt is polled first; keep of that list
--   fields, record          of the verification and of its first attempt
--   budgets                 see _budgets.lua
--   expires_ms              only where webhooks are enabled: when the verification expires, Unix ms
-- Returns  JSON {result, …}: "started" | "duplicate", verification
--          | "locked" | "over_budget" | "not_allowed", budget, retry_ms, limit
-- Invariant: nothing is written unless the result is "started", and then all of it is: if the process dies
--            right after, another one polls the attempt.
-- Continues with: apply_event give_back record_exchange
-- include _arguments
-- include _budgets
-- include _ledger
local start_key, verification_key, spend_key, attempt_key, events_key, polled_key = unpack(KEYS)
local now, price = args.now_ms, args.price_micros
local now_ms = string.format("%d", now)
local existing = redis.call("GET", start_key)
if existing then return cjson.encode({ result = "duplicate", verification = existing }) end
local refused = refusal(args.budgets, now, spend_key, price, args.spend_limit_micros)
if refused and (args.enforces or refused.result == "not_allowed") then return cjson.encode(refused) end
local attempt = args.verification .. "-1"
redis.call("SET", start_key, args.verification, "PX", args.keep_ms)
redis.call("HSET", verification_key, unpack(flat(args.fields)))
redis.call("HSET", verification_key, "status", "pending", "attempts", 1,
    "next_send_ms", now + args.cooldown_ms)
redis.call("PEXPIRE", verification_key, args.keep_ms)
spend(args.budgets, now_ms, attempt, spend_key, price)
local record = flat(args.record)
add_warning(record, refused, now)
local event = { kind = "requested", at_ms = now_ms, heard_ms = now_ms, source = "app", fields = record }
request_attempt(attempt_key, events_key, event, args.keep_ms)
redis.call("ZADD", polled_key, args.poll_at_ms, attempt)
redis.call("PEXPIRE", polled_key, args.poll_keep_ms)
if args.expires_ms then
-- include _outbox
    local expiries, queue, events = unpack(KEYS, #KEYS - 2)
    redis.call("ZADD", expiries, args.expires_ms, args.verification)
    redis.call("PEXPIRE", expiries, KEEP_MS)
    local about = { type = "requested", at_ms = now_ms, verification = args.verification }
    queue_event(queue, events, about, verification_key, attempt_key, now_ms)
end
return '{"result":"started"}'
