-- Count a send that a budget has refused: every one by budget and day, and its number once an hour by
-- minute and place.
-- KEYS     counters of the day; refused numbers of the day, by minute and place; those of the hour
-- Arguments:
--   budget         its name
--   number         digest of the number and the channel, which count once an hour
--   field          minute, place and budget
--   short_field    minute and channel, where the hash has no room for more
--   most_fields    from so many on there is none
--   keep_ms        of the day
--   keep_hour_ms   of the hour
-- Returns  1 where the number is counted, 0 where it was before
-- Invariant: whatever is requested, the hour takes 12 kB at most, and the day `most_fields` and a field for
--            each minute and channel.
-- include _arguments
local counters, refused, numbers = unpack(KEYS)
redis.call("HINCRBY", counters, "refused_" .. args.budget, 1)
redis.call("PEXPIRE", counters, args.keep_ms)
local is_new = redis.call("PFADD", numbers, args.number)
redis.call("PEXPIRE", numbers, args.keep_hour_ms)
if is_new == 0 then return 0 end
local field = args.field
if redis.call("HLEN", refused) >= args.most_fields and redis.call("HEXISTS", refused, field) == 0 then
    field = args.short_field
end
redis.call("HINCRBY", refused, field, 1)
redis.call("PEXPIRE", refused, args.keep_ms)
return 1
