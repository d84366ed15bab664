-- Return the budget of an attempt that was definitely not sent. Twice changes nothing more.
-- KEYS[1]  verification hash    KEYS[2]  spend of the day    KEYS[3…] budget lists
-- ARGV[1]  now, Unix ms         ARGV[2]  entry, "<ms>:<attempt>" as it was reserved
-- ARGV[3]  price in micros
-- Returns  1 when something was returned, else 0
local removed = 0
for i = 3, #KEYS do removed = removed + redis.call("LREM", KEYS[i], 1, ARGV[2]) end
if removed == 0 then return 0 end
if redis.call("EXISTS", KEYS[2]) == 1 then redis.call("DECRBY", KEYS[2], ARGV[3]) end
-- Nothing went out, so there is nothing to wait for.
if redis.call("EXISTS", KEYS[1]) == 1 then redis.call("HSET", KEYS[1], "next_send_ms", ARGV[1]) end
return 1
