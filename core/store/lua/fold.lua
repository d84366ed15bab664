-- Write what a fold has added up, and remove its entries from the journal, in one step; or do nothing,
-- where another process was faster. Knows nothing of the layout of the figures.
-- KEYS     how far the journal is folded; journal; places of the newest folds; counters of the day;
--          registries of the series, one for each array in `series`; then packed figures
-- Arguments, and after them the bytes to write, in the order of `writes`:
--   folded                  how far the caller has read that the journal is folded, "" for nothing
--   now_folded              the same after this fold          folds           number of folds after it
--   last, next              id of the last entry; the first id that stays in the journal
--   writes                  of each packed key: {0, TTL in ms} to write the whole value, no bytes to delete
--                           the key; {size, first byte of each part} to write parts of a dense key
--   series                  {newest request, name, …} of each registry
--   places                  that have changed; left out: too many    most_places   in the list
--   counts                  {counter of the day, number, …}
--   keep_ms, keep_journal_ms, keep_places_ms, keep_counters_ms
-- Returns  1, or 0 where nothing was written
-- Invariant: a key that ended since the caller read it is not made again.
-- include _arguments
local folded_key, journal_key, places_key, counters_key = unpack(KEYS, 1, 4)
if (redis.call("GET", folded_key) or "") ~= args.folded then return 0 end
-- A reset may have removed the journal.
if #redis.call("XRANGE", journal_key, args.last, args.last) == 0 then return 0 end
redis.call("SET", folded_key, args.now_folded, "PX", args.keep_ms)
redis.call("XTRIM", journal_key, "MINID", args.next)
redis.call("PEXPIRE", journal_key, args.keep_journal_ms)

local argument = 2
local function write(key, plan)
    local size = plan[1]
    if size == 0 then
        local bytes = ARGV[argument]
        argument = argument + 1
        if bytes == "" then
            redis.call("DEL", key)
        else
            redis.call("SET", key, bytes, "PX", plan[2])
        end
        return
    end
    local exists = redis.call("STRLEN", key) == size
    for i = 2, #plan do
        if exists then redis.call("SETRANGE", key, plan[i], ARGV[argument]) end
        argument = argument + 1
    end
end
local at = 4 + #args.series
for i, plan in ipairs(args.writes) do write(KEYS[at + i], plan) end

-- In few calls: a call costs more than what it adds. Lua passes at most about 8,000 arguments.
local MOST_ADDED = 4000
for i, names in ipairs(args.series) do
    for j = 1, #names, MOST_ADDED do
        redis.call("ZADD", KEYS[4 + i], "GT", unpack(names, j, math.min(j + MOST_ADDED - 1, #names)))
    end
    if #names > 0 then redis.call("PEXPIRE", KEYS[4 + i], args.keep_ms) end
end

-- A place has the number of the newest fold that has changed it. Two kinds of members are no places: "" has
-- the number of the fold after which the list is complete, and "@<last entry of a fold>" that of this fold.
-- A reader whose last fold is not in the list has seen a fold that a failover has lost.
local folds = args.folds
if not args.places or redis.call("ZCARD", places_key) > args.most_places then
    redis.call("DEL", places_key)
    redis.call("ZADD", places_key, folds, "", folds, "@" .. args.last)
else
    if redis.call("ZADD", places_key, "NX", folds - 1, "") == 1 then
        local last = string.match(args.folded, "%S+$") or ""
        redis.call("ZADD", places_key, folds - 1, "@" .. last)
    end
    redis.call("ZADD", places_key, folds, "@" .. args.last)
    local changed = {}
    for i, place in ipairs(args.places) do changed[2 * i - 1], changed[2 * i] = folds, place end
    -- The caller sends at most 2,000, which is few enough for one call.
    if #changed > 0 then redis.call("ZADD", places_key, unpack(changed)) end
end
redis.call("PEXPIRE", places_key, args.keep_places_ms)

for i = 1, #args.counts, 2 do
    redis.call("HINCRBY", counters_key, args.counts[i], args.counts[i + 1])
    redis.call("PEXPIRE", counters_key, args.keep_counters_ms)
end
return 1
