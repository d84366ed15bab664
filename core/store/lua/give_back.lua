-- Return the budget of an attempt that was definitely not sent, and count the refusal. Twice changes
-- nothing more.
-- KEYS[1]  verification hash    KEYS[2]  spend of the day
-- KEYS[3]  refusals of the number                             KEYS[4…] budget lists
-- ARGV[1]  entry, "<ms>:<attempt>" as it was reserved         ARGV[2]  price in micros
-- ARGV[3]  number of the attempt                              ARGV[4]  next_send_ms before it
-- ARGV[5]  channel before it    ARGV[6]  mode before it
-- ARGV[7]  limit and ARGV[8] window (ms) of the refusals
-- Returns  1 when something was returned, else 0
local removed = 0
for i = 4, #KEYS do removed = removed + redis.call("LREM", KEYS[i], 1, ARGV[1]) end
if removed == 0 then return 0 end
if redis.call("EXISTS", KEYS[2]) == 1 then redis.call("DECRBY", KEYS[2], ARGV[2]) end
-- A refusal costs nothing, but it must not be free to repeat for ever.
redis.call("LPUSH", KEYS[3], ARGV[1])
redis.call("LTRIM", KEYS[3], 0, tonumber(ARGV[7]) - 1)
redis.call("PEXPIRE", KEYS[3], ARGV[8])
-- Nothing went out: the wait and the channel are what they were, unless a later attempt set them.
if redis.call("HGET", KEYS[1], "attempts") == ARGV[3] then
    redis.call("HSET", KEYS[1], "next_send_ms", ARGV[4], "channel", ARGV[5], "mode", ARGV[6])
end
return 1
