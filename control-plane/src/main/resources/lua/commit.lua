-- One step of a call: the record, its events, its timers and its places in the indexes, all or nothing.
--
-- KEYS[1]  {pNN}:call:<callKey>   hash; v version, c commit id, x where the last commit's events lie,
--                                 r where it was written back: the version that stood there before,
--                                 i and n node and start of its owner, m media nodes, t names of timers, l 1 if it is in the list of
--                                 calls, h head, f:<name> fields. What i, m, t and l name is where the call stands in the indexes
-- KEYS[2]  {pNN}:outbox           stream of events, each of a call in the field e (of a registration in r)
-- KEYS[3]  {pNN}:timers           sorted set: <callKey>:<name>, due at (ms of Redis TIME)
-- KEYS[4]  {pNN}:keeper           hash; epoch
-- KEYS[5]  {pNN}:calls            sorted set of callKeys, scores 0: the calls that have not ended
-- Reached besides, in the same slot, by the names that the record or the arguments hold:
--          {pNN}:inflight:<node>, {pNN}:on-media:<node>   sorted sets of callKeys, scores 0
--
-- ARGV[1]  commit | restore
-- ARGV[2]  commit: the version that was read, 0 for none;   restore: not looked at
-- ARGV[3]  commit: the id of the commit that was read, empty for none;   restore: not looked at
-- ARGV[4]  id of this commit, 16 hexadecimal digits
-- ARGV[5]  the version that it makes
-- ARGV[6]  ms that the record lives from now
-- ARGV[7]  the epoch that {pNN}:keeper must have; empty: any
-- ARGV[8]  1: write the record; 0: remove it
-- ARGV[9]  head
-- ARGV[10] <callKey>
-- ARGV[11] {pNN}:inflight:
-- ARGV[12] {pNN}:on-media:
-- ARGV[13] node of the owner: who has transactions of the call open; empty for none
-- ARGV[14] the start of that node
-- ARGV[15] 1: the call has not ended; 0: it has
-- ARGV[16] how many events the outbox may hold with those of this commit; empty: any number
-- then lists, each after the number of its entries:
--          media nodes; timers (name, ms); fields to set (f:<name>, bytes); fields to remove (f:<name>); events (bytes)
--
-- Answers  {applied, version, {ids of events}} | {already, version, ids of events in one string}
--          | {conflict, {field, value, ...}} | {gone} | {fenced, epoch} | {full, events in the outbox}

local call, outbox, timers, keeper, calls = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local restoring, expectedVersion, expectedCommit = ARGV[1] == 'restore', ARGV[2], ARGV[3]
local id, version, keep, epoch, writing, head = ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8] == '1', ARGV[9]
local callKey, inflightPrefix, mediaPrefix, inflight, start = ARGV[10], ARGV[11], ARGV[12], ARGV[13], ARGV[14]
local listed, room = ARGV[15] == '1' and writing, ARGV[16]

-- Everything is taken apart before anything is written: a script that fails half-way is not undone.
local at = 16
local function list(width)
  at = at + 1
  local taken = {}
  for i = 1, tonumber(ARGV[at]) * width do
    at = at + 1
    taken[i] = ARGV[at]
  end
  return taken
end
local media, due, set, removed, events = list(1), list(2), list(2), list(1), list(1)

local function words(text)
  local found = {}
  for word in string.gmatch(text or '', '%S+') do
    found[#found + 1] = word
  end
  return found
end

local stored = redis.call('HMGET', call, 'v', 'c', 'x', 'i', 'm', 't', 'l')
local storedVersion, storedCommit = stored[1], stored[2]

if storedVersion and storedCommit == id and (not restoring or storedVersion == version) then
  return {'already', storedVersion, stored[3] or ''}
end
if epoch ~= '' then
  local current = redis.call('HGET', keeper, 'epoch') or '0'
  if current ~= epoch then
    return {'fenced', current}
  end
end
if restoring then
  if storedVersion and tonumber(storedVersion) >= tonumber(version) then
    -- Another has written back what it made of ours: if ours was lost, its events were lost with it.
    local lostAfter = redis.call('HGET', call, 'r')
    if lostAfter and tonumber(lostAfter) < tonumber(version) and storedVersion ~= version then
      for _, event in ipairs(events) do
        redis.call('XADD', outbox, '*', 'e', event)
      end
    end
    return {'conflict', redis.call('HGETALL', call)}
  end
elseif storedVersion then
  if storedVersion ~= expectedVersion or storedCommit ~= expectedCommit then
    return {'conflict', redis.call('HGETALL', call)}
  end
elseif expectedVersion ~= '0' then
  return {'gone'}
end
if room ~= '' then
  local waiting = redis.call('XLEN', outbox)
  if waiting + #events > tonumber(room) then
    return {'full', waiting}
  end
end

-- Leave the places that the step does not name, and keep those in which the record says that the call is already.
-- What is written back after a fail-over is entered anew everywhere.
local stays, was = {}, {}
for _, node in ipairs(media) do
  stays[node] = true
end
if stored[4] and stored[4] ~= '' and (not writing or stored[4] ~= inflight) then
  redis.call('ZREM', inflightPrefix .. stored[4], callKey)
end
for _, node in ipairs(words(stored[5])) do
  was[node] = not restoring
  if not writing or not stays[node] then
    redis.call('ZREM', mediaPrefix .. node, callKey)
  end
end
local rings, names = {}, {}
for i = 1, #due, 2 do
  rings[due[i]] = true
  names[#names + 1] = due[i]
end
for _, name in ipairs(words(stored[6])) do
  if not writing or not rings[name] then
    redis.call('ZREM', timers, callKey .. ':' .. name)
  end
end
if not listed and stored[7] ~= '0' then
  redis.call('ZREM', calls, callKey)
end

local ids = {}
for i, event in ipairs(events) do
  ids[i] = redis.call('XADD', outbox, '*', 'e', event)
end

if not writing then
  redis.call('DEL', call)
  return {'applied', version, ids}
end

if listed and (restoring or stored[7] ~= '1') then
  redis.call('ZADD', calls, 0, callKey)
end
if inflight ~= '' and (restoring or stored[4] ~= inflight) then
  redis.call('ZADD', inflightPrefix .. inflight, 0, callKey)
end
for _, node in ipairs(media) do
  if not was[node] then
    redis.call('ZADD', mediaPrefix .. node, 0, callKey)
  end
end
-- A timer that was claimed meanwhile has been put off: it is due again when the step says so.
for i = 1, #due, 2 do
  redis.call('ZADD', timers, due[i + 1], callKey .. ':' .. due[i])
end

if restoring then
  redis.call('DEL', call)
  redis.call('HSET', call, 'r', storedVersion or '0')
elseif #removed > 0 then
  redis.call('HDEL', call, unpack(removed))
end
redis.call('HSET', call, 'v', version, 'c', id, 'x', table.concat(ids, ' '), 'i', inflight, 'n', start,
  'm', table.concat(media, ' '), 't', table.concat(names, ' '), 'l', listed and '1' or '0', 'h', head, unpack(set))
redis.call('PEXPIRE', call, keep)
return {'applied', version, ids}
