-- End an open verification at its owner's wish.
-- KEYS[1]  verification hash
-- KEYS[2]  queue of events      KEYS[3]  events by id; both only where events are told
-- ARGV[1]  now, Unix ms         ARGV[2]  Pub/Sub channel      ARGV[3]  verification
-- Returns  "canceled" | "not_found" | the status that was there already
-- Invariant: what has expired stays expired, so that it is told as one of the two and never as both.
-- include _publish
local status, expires_ms = unpack(redis.call("HMGET", KEYS[1], "status", "expires_ms"))
if not status then return "not_found" end
if status ~= "pending" then return status end
if tonumber(ARGV[1]) >= tonumber(expires_ms) then return "expired" end
redis.call("HSET", KEYS[1], "status", "canceled", "canceled_ms", ARGV[1])
if KEYS[2] then
-- include _outbox
    local about = { type = "failed", reason = "canceled", at_ms = ARGV[1], verification = ARGV[3] }
    queue_event(KEYS[2], KEYS[3], about, KEYS[1], nil, ARGV[1])
end
publish(ARGV[2], ARGV[3])
return "canceled"
