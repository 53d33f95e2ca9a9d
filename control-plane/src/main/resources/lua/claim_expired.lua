-- Claims addresses-of-record of which the time of a contact is over: each is put off, so that another claims it if
-- nothing comes of it. One whose record has ended is taken out.
--
-- KEYS[1]  {pNN}:reg-due    sorted set of members, scores the end of their first contact (ms of Redis TIME)
-- KEYS[2]  {pNN}:reg-ends   sorted set of members, scores the end of their record (ms of Redis TIME)
--
-- ARGV[1]  how many at most
-- ARGV[2]  ms by which they are put off, from now
--
-- Answers  {1 if there are more, {member, ...}}

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local limit = tonumber(ARGV[1])
local later = string.format('%.0f', now + ARGV[2])
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now), 'LIMIT', 0, limit + 1)
local claimed = {}
for i = 1, math.min(#due, limit) do
  local ends = redis.call('ZSCORE', KEYS[2], due[i])
  if ends and tonumber(ends) > now then
    redis.call('ZADD', KEYS[1], later, due[i])
    claimed[#claimed + 1] = due[i]
  else
    redis.call('ZREM', KEYS[1], due[i])
  end
end
return {#due > limit and 1 or 0, claimed}
