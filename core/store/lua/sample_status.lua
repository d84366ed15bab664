-- Change the status of sample traffic, where that is possible.
-- KEYS     sample traffic: status, plan, attempts; its days
-- Arguments:
--   change                  load (or go on), stop, remove; recorded, loaded, removed: a work is done
--   plan                    load: what to load where there is none. recorded, loaded, removed: of which plan
--   days                    loaded: the number of days of the plan         keep_ms
-- Returns  {status, plan} as they are now, "" where there is no sample traffic
-- Invariant: a plan stays as it is until its sample traffic is removed.
-- include _arguments
local sample_key, days_key = unpack(KEYS)
local state = redis.call("HMGET", sample_key, "status", "plan")
local status, plan = state[1] or "", state[2] or ""
local change, now = args.change, nil
if change == "load" then
    if status == "" and args.plan ~= "" then
        plan, now = args.plan, "loading"
        redis.call("HSET", sample_key, "plan", plan)
    elseif status == "stopped" then
        now = "loading"
    end
elseif change == "stop" then
    if status == "loading" then now = "stopped" end
elseif change == "remove" then
    if status ~= "" then now = "removing" end
elseif plan == args.plan then
    local written = redis.call("HLEN", days_key)
    if change == "recorded" then redis.call("HSET", sample_key, "recorded", 1) end
    if change == "loaded" and status == "loading" and written == args.days then now = "loaded" end
    if change == "removed" and status == "removing" and written == 0 then
        redis.call("DEL", sample_key)
        return { "", "" }
    end
end
if now then
    redis.call("HSET", sample_key, "status", now)
    redis.call("PEXPIRE", sample_key, args.keep_ms)
end
return { now or status, plan }
