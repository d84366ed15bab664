-- Reserve the budget for one more attempt of an open verification and write it; or refuse.
-- KEYS     verification hash; spend of the day; the next attempt; its history; attempts to poll;
--          recent attempts; attempts of the number; budget lists
-- Arguments:
--   those of _reserved_attempt.lua
--   seen                    number of attempts that the caller knows of
--   at_once                 skip the cooldown (a call in place of a failed or silent SMS)
--   channel, mode           of the attempt          changes            Pub/Sub channel
-- Returns  JSON {result, …}: "started", next_send_ms (as it was before) | "duplicate" | "not_found"
--          | "closed", status | "too_soon", retry_ms
--          | "locked" | "over_budget" | "not_allowed", budget, retry_ms, limit
-- Invariant: two callers who saw the same attempts send once: the second one is a duplicate.
-- Continues with: apply give_back record_exchange
-- include _publish
-- include _reserved_attempt
local verification_key, spend_key, attempt_key, history_key, polled_key, recent_key, number_key = unpack(KEYS)
local status, expires_ms, attempts, next_send_ms = unpack(
    redis.call("HMGET", verification_key, "status", "expires_ms", "attempts", "next_send_ms"))
if not status then return '{"result":"not_found"}' end
if status ~= "pending" then return cjson.encode({ result = "closed", status = status }) end
if now >= tonumber(expires_ms) then return '{"result":"closed","status":"expired"}' end
if tonumber(attempts) ~= args.seen then return '{"result":"duplicate"}' end
local refused = attempt_refusal(spend_key)
if refused and (refused.result == "not_allowed" or args.enforces and refused.result == "locked") then
    return cjson.encode(refused)
end
next_send_ms = tonumber(next_send_ms)
if not args.at_once and now < next_send_ms then
    return cjson.encode({ result = "too_soon", retry_ms = next_send_ms - now })
end
if args.enforces and refused then return cjson.encode(refused) end
attempts = redis.call("HINCRBY", verification_key, "attempts", 1)
local attempt = args.verification .. "-" .. attempts
redis.call("HSET", verification_key, "next_send_ms", now + args.cooldown_ms,
    "channel", args.channel, "mode", args.mode)
redis.call("PEXPIRE", verification_key, args.keep_ms)
write_reserved_attempt(attempt, refused, spend_key, { attempt = attempt_key, history = history_key,
    recent = recent_key, number = number_key, polled = polled_key })
publish(args.changes, args.verification)
return cjson.encode({ result = "started", next_send_ms = next_send_ms })
