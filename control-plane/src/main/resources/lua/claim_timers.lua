-- Claims timers that are due: each is put off, so that another claims it if nothing comes of it.
-- A timer whose call has no record any more is removed.
--
-- KEYS[1]  {pNN}:timers   sorted set: <callKey>:<name>, due at (ms of Redis TIME)
-- KEYS[2]  {pNN}:keeper   hash; epoch
-- Reached besides, in the same slot: {pNN}:call:<callKey> of the timers found
--
-- ARGV[1]  the epoch that {pNN}:keeper must have; empty: any
-- ARGV[2]  how many at most
-- ARGV[3]  ms by which they are put off, from now
-- ARGV[4]  {pNN}:call:
--
-- Answers  {claimed, 1 if there are more, {member, due at, ...}} | {fenced, epoch}

if ARGV[1] ~= '' then
  local current = redis.call('HGET', KEYS[2], 'epoch') or '0'
  if current ~= ARGV[1] then
    return {'fenced', current}
  end
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local limit = tonumber(ARGV[2])
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now), 'WITHSCORES', 'LIMIT', 0, limit + 1)
local later = string.format('%.0f', now + ARGV[3])
local claimed = {}
for i = 1, math.min(#due, 2 * limit), 2 do
  local call = string.match(due[i], '^[^:]*')
  if redis.call('EXISTS', ARGV[4] .. call) == 1 then
    redis.call('ZADD', KEYS[1], later, due[i])
    claimed[#claimed + 1] = due[i]
    claimed[#claimed + 1] = due[i + 1]
  else
    redis.call('ZREM', KEYS[1], due[i])
  end
end
return {'claimed', #due > 2 * limit and 1 or 0, claimed}
