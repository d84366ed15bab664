-- Record how a try ended: delivered, to be tried again, or given up.
-- KEYS[1]  queue of events      KEYS[2]  events by id
-- KEYS[3]  dead letters by the moment they were given up        KEYS[4]  dead letters by id
-- KEYS[5]  number of events delivered that day
-- ARGV[1]  now, Unix ms         ARGV[2]  id                     ARGV[3]  its try, as it was claimed
-- ARGV[4]  "told", "again" or "dead"                            ARGV[5]  of "again": due at, Unix ms
-- ARGV[6]  how the try ended, JSON                              ARGV[7]  keep of the number, ms
-- ARGV[8]  how many dead letters are kept
-- Returns  1 when something was written, else 0: it was settled, or claimed again, meanwhile
-- Invariant: of a claim that ran out, only its success counts.
-- include _outbox
local id = ARGV[2]
local tries, last = id .. " tries", id .. " last"
local facts = redis.call("HGET", KEYS[2], id)
if not facts then return 0 end
if ARGV[4] ~= "told" and redis.call("HGET", KEYS[2], tries) ~= ARGV[3] then return 0 end

if ARGV[4] == "again" then
    redis.call("ZADD", KEYS[1], ARGV[5], id)
    redis.call("HSET", KEYS[2], last, ARGV[6])
    keep(KEYS[1], KEYS[2])
    return 1
end
redis.call("ZREM", KEYS[1], id)
redis.call("HDEL", KEYS[2], id, tries, last)
if ARGV[4] == "told" then
    redis.call("INCR", KEYS[5])
    redis.call("PEXPIRE", KEYS[5], ARGV[7])
    return 1
end
redis.call("ZADD", KEYS[3], ARGV[1], id)
redis.call("HSET", KEYS[4], id, facts, tries, ARGV[3], last, ARGV[6])
keep(KEYS[3], KEYS[4])
for _, oldest in ipairs(redis.call("ZRANGE", KEYS[3], 0, -1 - tonumber(ARGV[8]))) do
    redis.call("ZREM", KEYS[3], oldest)
    redis.call("HDEL", KEYS[4], oldest, oldest .. " tries", oldest .. " last")
end
return 1
