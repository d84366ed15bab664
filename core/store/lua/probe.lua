-- Write, and list the commands that the user of REDIS_URL may not run.
-- KEYS     probe, a string
-- Arguments:
--   keep_ms                 of the probe            changes            Pub/Sub channel
--   commands                whose only key, if any, is their first argument
-- Returns  names of those that are not allowed; PUBLISH and SUBSCRIBE also where the channel is not
-- include _arguments
local probe = KEYS[1]
redis.call("SET", probe, "1", "PX", args.keep_ms)
local missing = {}
-- Redis 6.2 can only find out by running them.
if not redis.acl_check_cmd then return missing end
local function check(name, ...)
    if not redis.acl_check_cmd(...) then missing[#missing + 1] = name end
end
for _, command in ipairs(args.commands) do check(command, command, probe) end
-- With all their arguments: Valkey 9.1 reads past the end where the number of keys is missing.
check("EVAL", "EVAL", "", "0")
check("EVALSHA", "EVALSHA", "", "0")
check("SCRIPT LOAD", "SCRIPT", "LOAD", "")
check("PUBLISH", "PUBLISH", args.changes, "")
check("SUBSCRIBE", "SUBSCRIBE", args.changes)
return missing
