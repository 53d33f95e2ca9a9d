-- What all nodes of a cluster must agree on: the first node writes it, the others read it.
--
-- KEYS[1]  cluster:meta   hash; partitions, secret (a fingerprint)
-- ARGV[1]  number of partitions
-- ARGV[2]  fingerprint of the cluster's secret
--
-- Answers  {partitions, secret} as they stand

redis.call('HSETNX', KEYS[1], 'partitions', ARGV[1])
redis.call('HSETNX', KEYS[1], 'secret', ARGV[2])
return redis.call('HMGET', KEYS[1], 'partitions', 'secret')
