-- Counts who is registered in a partition, after those whose record has ended are dropped.
--
-- KEYS[1]  {pNN}:reg-names      sorted set of members, scores 0
-- KEYS[2]  {pNN}:reg-ends       sorted set of members, scores the end of their record (ms of Redis TIME)
-- KEYS[3]  {pNN}:reg-bindings   hash: member, number of bindings
-- KEYS[4]  {pNN}:reg-totals     hash; registered, bindings
-- ARGV[1]  how many are dropped at most
--
-- Answers  {registered, bindings}

local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, ARGV[1])) do
  local n = tonumber(redis.call('HGET', KEYS[3], member) or 0)
  redis.call('HDEL', KEYS[3], member)
  redis.call('ZREM', KEYS[1], member)
  redis.call('ZREM', KEYS[2], member)
  if n > 0 then
    redis.call('HINCRBY', KEYS[4], 'registered', -1)
    redis.call('HINCRBY', KEYS[4], 'bindings', -n)
  end
end
local totals = redis.call('HMGET', KEYS[4], 'registered', 'bindings')
return {tonumber(totals[1] or 0), tonumber(totals[2] or 0)}
