-- Claims timers that are due, of one partition or, where there is no Redis Cluster, of several:
-- each is put off, so that another claims it if nothing comes of it. A timer whose call has no
-- record any more is removed.
--
-- For each partition
-- KEYS  {pNN}:timers   sorted set: <callKey>:<name>, due at (ms of Redis TIME)
-- KEYS  {pNN}:keeper   hash; epoch
-- Reached besides, in the same slot: {pNN}:call:<callKey> of the timers found
--
-- ARGV[1]  ms by which they are put off, from now
-- and for each partition
-- ARGV  the epoch that {pNN}:keeper must have; empty: any
-- ARGV  how many at most
-- ARGV  {pNN}:call:
--
-- Answers, for each partition
--   {claimed, 1 if there are more, {member, due at, ...}} | {fenced, epoch}

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local soonest = string.format('%.0f', now)
local later = string.format('%.0f', now + ARGV[1])

local function claim(timers, keeper, epoch, limit, prefix)
  if epoch ~= '' then
    local current = redis.call('HGET', keeper, 'epoch') or '0'
    if current ~= epoch then
      return {'fenced', current}
    end
  end
  local due = redis.call('ZRANGEBYSCORE', timers, '-inf', soonest, 'WITHSCORES', 'LIMIT', 0, limit + 1)
  local claimed = {}
  for i = 1, math.min(#due, 2 * limit), 2 do
    local call = string.match(due[i], '^[^:]*')
    if redis.call('EXISTS', prefix .. call) == 1 then
      redis.call('ZADD', timers, later, due[i])
      claimed[#claimed + 1] = due[i]
      claimed[#claimed + 1] = due[i + 1]
    else
      redis.call('ZREM', timers, due[i])
    end
  end
  return {'claimed', #due > 2 * limit and 1 or 0, claimed}
end

local answers = {}
for i = 1, #KEYS / 2 do
  local at = 3 * i - 1
  answers[i] = claim(KEYS[2 * i - 1], KEYS[2 * i], ARGV[at], tonumber(ARGV[at + 1]), ARGV[at + 2])
end
return answers
