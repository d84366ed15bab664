-- Add one HTTP exchange with Plivo to the stream of its verification, and publish the change.
-- KEYS     exchanges stream
-- Arguments: exchange (JSON text), most (how many are kept), keep_ms, changes (Pub/Sub channel),
--          verification
-- include _publish
-- include _arguments
redis.call("XADD", KEYS[1], "MAXLEN", args.most, "*", "exchange", args.exchange)
redis.call("PEXPIRE", KEYS[1], args.keep_ms)
publish(args.changes, args.verification)
