-- Write, and look which commands the user of REDIS_URL may not run.
-- KEYS[1]  probe, a string      ARGV[1]  its keep, ms       ARGV[2]  Pub/Sub channel
-- ARGV[3…] commands
-- Returns  names of those that are not allowed; PUBLISH and SUBSCRIBE also where the channel is not
redis.call("SET", KEYS[1], "1", "PX", ARGV[1])
local missing = {}
-- Redis 6.2 cannot tell without running them.
if not redis.acl_check_cmd then return missing end
for i = 3, #ARGV do
    if not redis.acl_check_cmd(ARGV[i], KEYS[1]) then missing[#missing + 1] = ARGV[i] end
end
if not redis.acl_check_cmd("PUBLISH", ARGV[2], "") then missing[#missing + 1] = "PUBLISH" end
if not redis.acl_check_cmd("SUBSCRIBE", ARGV[2]) then missing[#missing + 1] = "SUBSCRIBE" end
return missing
