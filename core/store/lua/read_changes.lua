-- Read which places have changed since a number of folds. Writes nothing.
-- KEYS     how far the journal is folded; places of the newest folds
-- Arguments:
--   folds                   number of folds that the caller has seen      epoch   of that number; "" before
--                           the first fold
-- Returns  {how far the journal is folded, "" for nothing; the places, or "all"}
-- include _arguments
local folded = redis.call("GET", KEYS[1]) or ""
local epoch, folds = string.match(folded, "^(%S+) (%d+)")
if (epoch or "") ~= args.epoch then return { folded, "all" } end
if not folds or tonumber(folds) == args.folds then return { folded, {} } end
-- The member "" has the fold from which on the list is complete.
local since = redis.call("ZSCORE", KEYS[2], "")
if not since or tonumber(since) > args.folds then return { folded, "all" } end
return { folded, redis.call("ZRANGEBYSCORE", KEYS[2], "(" .. args.folds, "+inf") }
