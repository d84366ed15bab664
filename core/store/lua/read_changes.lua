-- Read which places have changed since a fold. Writes nothing.
-- KEYS     how far the journal is folded; places of the newest folds
-- Arguments:
--   folds                   number of folds that the caller has seen
--   epoch, last             of that number, and the last entry of its fold; "" before the first fold
-- Returns  {how far the journal is folded, "" for nothing; the places, or "all"}
-- include _arguments
local folded = redis.call("GET", KEYS[1]) or ""
if folded == "" and args.epoch == "" then return { folded, {} } end
local epoch, folds, last = string.match(folded, "^(%S+) (%d+) (%S+)$")
if epoch ~= args.epoch then return { folded, "all" } end
if tonumber(folds) == args.folds and last == args.last then return { folded, {} } end
-- What these members mean: see fold.lua.
local since = redis.call("ZSCORE", KEYS[2], "")
local seen = redis.call("ZSCORE", KEYS[2], "@" .. args.last)
if not since or tonumber(since) > args.folds then return { folded, "all" } end
if not seen or tonumber(seen) ~= args.folds then return { folded, "all" } end
return { folded, redis.call("ZRANGEBYSCORE", KEYS[2], "(" .. args.folds, "+inf") }
