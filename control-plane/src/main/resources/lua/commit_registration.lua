-- Writes the record of an address-of-record if it stands as it was read, and keeps the lists that tell who is registered.
--
-- KEYS[1]  {pNN}:reg:<aor>        hash; v version, c commit id, h head, f:<name> fields
-- KEYS[2]  {pNN}:reg-names        sorted set of members, scores 0: the order of lists
-- KEYS[3]  {pNN}:reg-ends         sorted set of members, scores the end of their record (ms of Redis TIME)
-- KEYS[4]  {pNN}:reg-bindings     hash: member, number of bindings
-- KEYS[5]  {pNN}:reg-totals       hash; registered (members with bindings), bindings
-- KEYS[6]  {pNN}:outbox           stream of events, each in the field r
-- KEYS[7]  {pNN}:reg-due          sorted set of members, scores the end of their first contact (ms of Redis TIME)
--
-- ARGV[1]  the version that was read, 0 for none
-- ARGV[2]  id of this commit, 16 hexadecimal digits
-- ARGV[3]  ms that the record lives from now; 0 or less removes it
-- ARGV[4]  ms from now until the time of its first contact is over; empty: it has none
-- ARGV[5]  number of bindings
-- ARGV[6]  member: the address-of-record as the lists hold it
-- ARGV[7]  head
-- ARGV[8]  how many events the outbox may hold with those of this commit; empty: any number
-- ARGV[9]  number of events, then each, then fields (f:<name>, bytes)
--
-- Answers  {applied, version} | {already, version} | {conflict, {field, value, ...}} | {gone} | {full, events in the outbox}

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function tally(registered, bindings)
  if registered ~= 0 then redis.call('HINCRBY', KEYS[5], 'registered', registered) end
  if bindings ~= 0 then redis.call('HINCRBY', KEYS[5], 'bindings', bindings) end
end

local function forget(member)
  local n = redis.call('HGET', KEYS[4], member)
  if n then
    redis.call('HDEL', KEYS[4], member)
    redis.call('ZREM', KEYS[2], member)
    redis.call('ZREM', KEYS[3], member)
    redis.call('ZREM', KEYS[7], member)
    tally(tonumber(n) > 0 and -1 or 0, -tonumber(n))
  end
end

local stored = redis.call('HMGET', KEYS[1], 'v', 'c')
if stored[1] then
  if stored[2] == ARGV[2] then
    return {'already', stored[1]}
  end
  if stored[1] ~= ARGV[1] then
    return {'conflict', redis.call('HGETALL', KEYS[1])}
  end
elseif ARGV[1] ~= '0' then
  return {'gone'}
end

local events = tonumber(ARGV[9])
if ARGV[8] ~= '' then
  local waiting = redis.call('XLEN', KEYS[6])
  if waiting + events > tonumber(ARGV[8]) then
    return {'full', waiting}
  end
end

local version = string.format('%.0f', ARGV[1] + 1)
local fields = {}
for i = 10 + events, #ARGV do
  fields[#fields + 1] = ARGV[i]
end

-- A few of those that have ended go with each commit; who counts drops the rest.
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', string.format('%.0f', now), 'LIMIT', 0, 16)) do
  forget(member)
end
forget(ARGV[6])
redis.call('DEL', KEYS[1])
local keep = tonumber(ARGV[3])
if keep > 0 then
  redis.call('HSET', KEYS[1], 'v', version, 'c', ARGV[2], 'h', ARGV[7], unpack(fields))
  redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', now + keep))
  redis.call('ZADD', KEYS[2], 0, ARGV[6])
  redis.call('ZADD', KEYS[3], string.format('%.0f', now + keep), ARGV[6])
  if ARGV[4] ~= '' then redis.call('ZADD', KEYS[7], string.format('%.0f', now + ARGV[4]), ARGV[6]) end
  redis.call('HSET', KEYS[4], ARGV[6], ARGV[5])
  tally(tonumber(ARGV[5]) > 0 and 1 or 0, tonumber(ARGV[5]))
end
for i = 10, 9 + events do
  redis.call('XADD', KEYS[6], '*', 'r', ARGV[i])
end
return {'applied', version}
