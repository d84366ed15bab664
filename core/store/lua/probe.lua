-- Write, and look which commands the user of REDIS_URL may not run.
-- KEYS[1]  probe, a string      ARGV[1]  its keep, ms       ARGV[2]  Pub/Sub channel
-- ARGV[3…] commands whose only key, if any, is their first argument
-- Returns  names of those that are not allowed; PUBLISH and SUBSCRIBE also where the channel is not
redis.call("SET", KEYS[1], "1", "PX", ARGV[1])
local missing = {}
-- Redis 6.2 cannot tell without running them.
if not redis.acl_check_cmd then return missing end
local function ask(name, ...)
    if not redis.acl_check_cmd(...) then missing[#missing + 1] = name end
end
for i = 3, #ARGV do ask(ARGV[i], ARGV[i], KEYS[1]) end
-- With all their arguments: Valkey 9.1 reads past the end for a number of keys that is not there.
ask("EVAL", "EVAL", "", "0")
ask("EVALSHA", "EVALSHA", "", "0")
ask("SCRIPT LOAD", "SCRIPT", "LOAD", "")
ask("PUBLISH", "PUBLISH", ARGV[2], "")
ask("SUBSCRIBE", "SUBSCRIBE", ARGV[2])
return missing
