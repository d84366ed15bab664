-- Queue the event that a verification has expired: once, and only if it is open at that moment.
-- KEYS[1]  zset of open verifications by the moment they expire, Unix ms
-- KEYS[2]  verification hash    KEYS[3]  queue of events        KEYS[4]  events by id
-- ARGV[1]  now, Unix ms         ARGV[2]  verification
-- Returns  1 when it was queued, else 0
-- Invariant: it leaves the zset and enters the queue in one step: two sweepers queue it once, and
--            a sweeper that dies before this leaves it in the zset.
-- include _outbox
if redis.call("ZREM", KEYS[1], ARGV[2]) == 0 then return 0 end
local status, expires_ms = unpack(redis.call("HMGET", KEYS[2], "status", "expires_ms"))
if status ~= "pending" then return 0 end
local about = { type = "expired", at_ms = expires_ms, verification = ARGV[2] }
queue_event(KEYS[3], KEYS[4], about, KEYS[2], nil, ARGV[1])
return 1
