-- Return the budget of an attempt that was definitely not sent, and count the refusal. Running it twice
-- changes nothing more.
-- KEYS     verification hash; spend of the day; refusals of the number; budget lists
-- Arguments:
--   entry                   "<ms>:<attempt>" as it was reserved     price_micros
--   attempts                number of the attempt
--   next_send_ms, channel, mode                                     as they were before it
--   refusals                {limit, window_ms}
-- Returns  1 when something was returned, else 0
-- include _arguments
local verification_key, spend_key, refusals_key = unpack(KEYS)
local removed = 0
for i = 4, #KEYS do removed = removed + redis.call("LREM", KEYS[i], 1, args.entry) end
if removed == 0 then return 0 end
if redis.call("EXISTS", spend_key) == 1 then redis.call("DECRBY", spend_key, args.price_micros) end
-- A refusal costs nothing, but it must not be free to repeat for ever.
redis.call("LPUSH", refusals_key, args.entry)
redis.call("LTRIM", refusals_key, 0, args.refusals.limit - 1)
redis.call("PEXPIRE", refusals_key, args.refusals.window_ms)
-- Nothing was sent: the cooldown and the channel go back, unless a later attempt has set them.
if tonumber(redis.call("HGET", verification_key, "attempts")) == args.attempts then
    redis.call("HSET", verification_key, "next_send_ms", args.next_send_ms,
        "channel", args.channel, "mode", args.mode)
end
return 1
