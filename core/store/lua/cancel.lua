-- End an open verification at its owner's wish.
-- KEYS[1]  verification hash
-- ARGV[1]  now, Unix ms      ARGV[2]  Pub/Sub channel      ARGV[3]  verification
-- Returns  "canceled" | "not_found" | the status that was there already
local status = redis.call("HGET", KEYS[1], "status")
if not status then return "not_found" end
if status ~= "pending" then return status end
redis.call("HSET", KEYS[1], "status", "canceled", "canceled_ms", ARGV[1])
redis.call("PUBLISH", ARGV[2], ARGV[3])
return "canceled"
