-- A control node's heartbeat: it vanishes by itself, and its member stays known.
--
-- KEYS[1]  {cluster}:node:<node>   hash, expires; i incarnation, s sequence, l 1 if it is leaving,
--                                  f former incarnations, oldest first, with a space between,
--                                  m address of its mesh, a its addresses of SIP
-- KEYS[2]  {cluster}:members       sorted set of <node>/<incarnation>, scores their last beat (ms of Redis TIME)
-- KEYS[3]  {cluster}:left:<node>/<incarnation>    there if the member went by itself
-- KEYS[4]  {cluster}:swept:<node>/<incarnation>   set of partitions without a call of it
--
-- ARGV[1]  <node>/<incarnation>
-- ARGV[2]  incarnation
-- ARGV[3]  sequence
-- ARGV[4]  1: it is leaving
-- ARGV[5]  ms until it vanishes
-- ARGV[6]  former incarnations at most
-- ARGV[7]  members at most
-- ARGV[8]  the address of its mesh, or nothing
-- ARGV[9]  its addresses of SIP, or nothing
--
-- Answers  {acknowledged} | {superseded, incarnation}

local stored = redis.call('HMGET', KEYS[1], 'i', 's', 'f')
local former = {}
for each in string.gmatch(stored[3] or '', '%S+') do
  former[#former + 1] = each
end
local stands = false
if stored[1] == ARGV[2] then
  stands = tonumber(stored[2]) > tonumber(ARGV[3])
elseif stored[1] then
  for _, each in ipairs(former) do
    if each == ARGV[2] then
      return {'superseded', stored[1]}
    end
  end
  former[#former + 1] = stored[1]
  if #former > tonumber(ARGV[6]) then
    table.remove(former, 1)
  end
end
if not stands then
  redis.call('HSET', KEYS[1], 'i', ARGV[2], 's', ARGV[3], 'l', ARGV[4], 'm', ARGV[8], 'a', ARGV[9],
    'f', table.concat(former, ' '))
end
redis.call('PEXPIRE', KEYS[1], ARGV[5])
local time = redis.call('TIME')
redis.call('ZADD', KEYS[2], string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)), ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -ARGV[7] - 1)
redis.call('DEL', KEYS[3], KEYS[4])
return {'acknowledged'}
