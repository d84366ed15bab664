-- Note how far the logs are read, and keep the turn; only for the reader whose turn it still is.
-- KEYS     the turn, a string; status hash of the logs
-- Arguments:
--   token                   of the reader
--   turn_ms, keep_ms        how long the turn lasts; keep of the status
--   fields                  of the status
-- Returns  1, or 0 when another reader has the turn by now: nothing was written
-- include _arguments
local turn, status = unpack(KEYS)
if redis.call("GET", turn) ~= args.token then return 0 end
redis.call("PEXPIRE", turn, args.turn_ms)
redis.call("HSET", status, unpack(flat(args.fields)))
redis.call("PEXPIRE", status, args.keep_ms)
return 1
