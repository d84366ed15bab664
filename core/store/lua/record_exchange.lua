-- Keep one exchange with Plivo, and say that its verification has news.
-- KEYS[1]  exchanges stream     ARGV[1]  the exchange, JSON     ARGV[2]  how many are kept
-- ARGV[3]  keep, ms             ARGV[4]  Pub/Sub channel        ARGV[5]  verification
-- include _publish
redis.call("XADD", KEYS[1], "MAXLEN", ARGV[2], "*", "exchange", ARGV[1])
redis.call("PEXPIRE", KEYS[1], ARGV[3])
publish(ARGV[4], ARGV[5])
