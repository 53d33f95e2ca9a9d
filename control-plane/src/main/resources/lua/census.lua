-- All members of the cluster that are known, each with its heartbeat if that stands there.
--
-- KEYS[1]  {cluster}:members   sorted set of <node>/<incarnation>, scores their last beat
-- Reached besides, in the same slot: {cluster}:node:<node> and {cluster}:left:<node>/<incarnation> of the members
--
-- ARGV[1]  {cluster}:node:
-- ARGV[2]  {cluster}:left:
--
-- Answers  {{<node>, <incarnation>, beats | left | lapsed, sequence, leaving, mesh, addresses}, ...}; of one that
-- does not beat the numbers are 0 and the texts empty, and the texts of a node of an earlier version are empty too

local all = {}
for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local node, incarnation = string.match(member, '^([^/]*)/(.*)$')
  local beat = redis.call('HMGET', ARGV[1] .. node, 'i', 's', 'l', 'm', 'a')
  if beat[1] == incarnation then
    all[#all + 1] = {node, incarnation, 'beats', beat[2], beat[3], beat[4] or '', beat[5] or ''}
  elseif redis.call('EXISTS', ARGV[2] .. member) == 1 then
    all[#all + 1] = {node, incarnation, 'left', '0', '0', '', ''}
  else
    all[#all + 1] = {node, incarnation, 'lapsed', '0', '0', '', ''}
  end
end
return all
