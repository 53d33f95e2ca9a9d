-- Puts events aside that nobody can make anything of: out of the outbox, and kept as they are.
--
-- KEYS[1]  {pNN}:outbox         stream of events, each in the field e
-- KEYS[2]  {pNN}:outbox-aside   stream of what was put aside, in the fields that it had, and id, which it had
-- ARGV[1]  how many are kept aside at most; those beyond it stay where they are
-- ARGV[2]... ids
--
-- Answers  {id, ...}: those that were put aside

local room = tonumber(ARGV[1]) - redis.call('XLEN', KEYS[2])
local moved = {}
for i = 2, #ARGV do
  local found = #moved < room and redis.call('XRANGE', KEYS[1], ARGV[i], ARGV[i]) or {}
  if found[1] then
    local fields = found[1][2]
    fields[#fields + 1] = 'id'
    fields[#fields + 1] = ARGV[i]
    redis.call('XADD', KEYS[2], '*', unpack(fields))
    redis.call('XDEL', KEYS[1], ARGV[i])
    moved[#moved + 1] = ARGV[i]
  end
end
return moved
