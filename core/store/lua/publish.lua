-- Say that a verification changed, as the last part of a transaction.
-- KEYS[1]  any key of the environment: it names the node of a Cluster
-- ARGV[1]  Pub/Sub channel      ARGV[2]  verification
-- include _publish
publish(ARGV[1], ARGV[2])
