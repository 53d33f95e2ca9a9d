-- Who keeps a partition, and since which epoch: the asking member if nobody does, or nobody of those that live.
--
-- KEYS[1]  {pNN}:keeper   hash; epoch, node, incarnation (the last two only where there is a keeper)
--
-- ARGV[1]  keep | give-up
-- ARGV[2]  node of the asking member
-- ARGV[3]  its incarnation
-- then, two by two: node and incarnation of each member that lives
--
-- Answers  {epoch} | {epoch, node, incarnation}
--
-- An epoch is the time in ms, or one more than the last: so it is higher than one that a fail-over has lost, too.

local stored = redis.call('HMGET', KEYS[1], 'epoch', 'node', 'incarnation')
local epoch, node, incarnation = stored[1] or '0', stored[2], stored[3]
local mine = node == ARGV[2] and incarnation == ARGV[3]
if ARGV[1] == 'give-up' then
  if mine then
    redis.call('HDEL', KEYS[1], 'node', 'incarnation')
    return {epoch}
  end
elseif not mine then
  local free = true
  for i = 4, #ARGV, 2 do
    if node == ARGV[i] and incarnation == ARGV[i + 1] then
      free = false
    end
  end
  if free then
    local time = redis.call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    epoch = string.format('%.0f', math.max(now, tonumber(epoch) + 1))
    node, incarnation = ARGV[2], ARGV[3]
    redis.call('HSET', KEYS[1], 'epoch', epoch, 'node', node, 'incarnation', incarnation)
  end
end
if node then
  return {epoch, node, incarnation}
end
return {epoch}
