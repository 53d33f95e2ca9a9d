-- A member goes by itself: its heartbeat vanishes now, and others need not wait for it.
--
-- KEYS[1]  {cluster}:node:<node>                  hash; i incarnation
-- KEYS[2]  {cluster}:members                      sorted set of <node>/<incarnation>
-- KEYS[3]  {cluster}:left:<node>/<incarnation>    written here
--
-- ARGV[1]  <node>/<incarnation>
-- ARGV[2]  incarnation
-- ARGV[3]  ms that it is remembered to have gone by itself
--
-- Answers  {left}

if redis.call('HGET', KEYS[1], 'i') == ARGV[2] then
  redis.call('DEL', KEYS[1])
end
if redis.call('ZSCORE', KEYS[2], ARGV[1]) then
  redis.call('SET', KEYS[3], '1', 'PX', ARGV[3])
end
return {'left'}
