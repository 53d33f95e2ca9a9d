-- A page of an index of calls, in the order of their keys. Calls without a record are left out and removed.
--
-- KEYS[1]  {pNN}:calls, {pNN}:inflight:<node> or {pNN}:on-media:<node>   sorted set of callKeys, scores 0
-- Reached besides, in the same slot: {pNN}:call:<callKey> of the calls found
--
-- ARGV[1]  where the page begins, as ZRANGEBYLEX says it: - or (<callKey>
-- ARGV[2]  how many at most
-- ARGV[3]  {pNN}:call:
--
-- Answers  {1 if there are more, {callKey, ...}}

local limit = tonumber(ARGV[2])
local found = redis.call('ZRANGEBYLEX', KEYS[1], ARGV[1], '+', 'LIMIT', 0, limit + 1)
local living = {}
for i = 1, math.min(#found, limit) do
  if redis.call('EXISTS', ARGV[3] .. found[i]) == 1 then
    living[#living + 1] = found[i]
  else
    redis.call('ZREM', KEYS[1], found[i])
  end
end
return {#found > limit and 1 or 0, living}
