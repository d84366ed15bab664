-- End an open verification at its owner's request.
-- KEYS     verification hash; only where webhooks are enabled also: queue of events, events by id
-- Arguments: now_ms (Unix ms), verification, changes (Pub/Sub channel)
-- Returns  "canceled" | "not_found" | the status that was there already
-- Invariant: an expired verification stays expired, so that webhooks report only one of the two.
-- include _publish
-- include _arguments
local verification_key, queue, events = unpack(KEYS)
local now_ms = string.format("%d", args.now_ms)
local status, expires_ms = unpack(redis.call("HMGET", verification_key, "status", "expires_ms"))
if not status then return "not_found" end
if status ~= "pending" then return status end
if args.now_ms >= tonumber(expires_ms) then return "expired" end
redis.call("HSET", verification_key, "status", "canceled", "canceled_ms", now_ms)
if queue then
-- include _outbox
    local about = { type = "failed", reason = "canceled", at_ms = now_ms, verification = args.verification }
    queue_event(queue, events, about, verification_key, nil, now_ms)
end
publish(args.changes, args.verification)
return "canceled"
