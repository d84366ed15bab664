-- Queue the event that a verification has expired: once, and only if it is open at that moment.
-- KEYS     zset of open verifications by the moment they expire, Unix ms; verification hash; queue of
--          events; events by id
-- Arguments: now_ms (Unix ms), verification
-- Returns  1 when it was queued, else 0
-- Invariant: it leaves the zset and enters the queue in one step: two sweepers queue it once, and
--            a sweeper that dies before this leaves it in the zset.
-- include _outbox
-- include _arguments
local expiries, verification_key, queue, events = unpack(KEYS)
if redis.call("ZREM", expiries, args.verification) == 0 then return 0 end
local status, expires_ms = unpack(redis.call("HMGET", verification_key, "status", "expires_ms"))
if status ~= "pending" then return 0 end
local about = { type = "expired", at_ms = expires_ms, verification = args.verification }
queue_event(queue, events, about, verification_key, nil, string.format("%d", args.now_ms))
return 1
