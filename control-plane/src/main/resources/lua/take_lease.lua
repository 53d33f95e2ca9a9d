-- Takes or renews a lease of a limit; leases end by themselves.
--
-- KEYS[1]  limit:{<name>}   sorted set of holders, scores their latest end (ms of Redis TIME)
-- ARGV[1]  holder
-- ARGV[2]  how many leases there may be
-- ARGV[3]  ms that the lease lasts from now
--
-- Answers  {1 if it is held now, leases held by all}

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
local held = redis.call('ZCARD', KEYS[1])
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  if held >= tonumber(ARGV[2]) then
    return {0, held}
  end
  held = held + 1
end
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[3]), ARGV[1])
-- The set itself goes when its last lease has ended.
local left = redis.call('PTTL', KEYS[1])
if left < tonumber(ARGV[3]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return {1, held}
