-- Partitions hold no call of a member that does not beat; when that is so of all, it is known no more.
--
-- KEYS[1]  {cluster}:node:<node>                  hash; i incarnation
-- KEYS[2]  {cluster}:members                      sorted set of <node>/<incarnation>
-- KEYS[3]  {cluster}:left:<node>/<incarnation>
-- KEYS[4]  {cluster}:swept:<node>/<incarnation>   set of partitions, expires
--
-- ARGV[1]  <node>/<incarnation>
-- ARGV[2]  incarnation
-- ARGV[3]  number of all partitions
-- ARGV[4]  ms that the set lives from now
-- ARGV[5]... partitions
--
-- Answers  {partitions that are missing}

if not redis.call('ZSCORE', KEYS[2], ARGV[1]) then
  return {0}
end
if redis.call('HGET', KEYS[1], 'i') == ARGV[2] then
  return {tonumber(ARGV[3])}
end
for i = 5, #ARGV do
  redis.call('SADD', KEYS[4], ARGV[i])
end
redis.call('PEXPIRE', KEYS[4], ARGV[4])
local missing = tonumber(ARGV[3]) - redis.call('SCARD', KEYS[4])
if missing == 0 then
  redis.call('ZREM', KEYS[2], ARGV[1])
  redis.call('DEL', KEYS[3], KEYS[4])
end
return {missing}
