-- Note how far the logs are read, and keep the turn; only for whose turn it still is.
-- KEYS[1]  the turn, a string    KEYS[2]  status hash of the logs
-- ARGV[1]  token of the reader   ARGV[2]  how long the turn lasts, ms   ARGV[3]  keep of the status, ms
-- ARGV[4…] field name, value, …
-- Returns  1, or 0 when another reader has taken over: nothing was written
if redis.call("GET", KEYS[1]) ~= ARGV[1] then return 0 end
redis.call("PEXPIRE", KEYS[1], ARGV[2])
redis.call("HSET", KEYS[2], unpack(ARGV, 4))
redis.call("PEXPIRE", KEYS[2], ARGV[3])
return 1
