-- The ids behind a position, newest first, each with its time; and what is known of them, as far as it is not too much
-- for one answer: of the rest somebody asks again.
--
-- KEYS: ids by time, and a hash by id: a tenant's rows, or the tenants of a table's.
-- ARGV: how many; the first time that is too late, or ''; the position: time and id, or '' twice; how many
-- bytes are enough.

local most, bound, at, id, enough = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local SOME = 16

local start = 0
if bound ~= '' then
  start = redis.call('ZCOUNT', KEYS[1], bound, '+inf')
end
if at ~= '' then
  local score = redis.call('ZSCORE', KEYS[1], id)
  local behind
  if score and tonumber(score) == tonumber(at) then
    behind = redis.call('ZREVRANK', KEYS[1], id) + 1
  else
    behind = redis.call('ZCOUNT', KEYS[1], '(' .. at, '+inf')
  end
  start = math.max(start, behind)
end

local found = redis.call('ZREVRANGE', KEYS[1], start, start + most - 1, 'WITHSCORES')
local ids, times = {}, {}
for index = 1, #found, 2 do
  ids[#ids + 1] = found[index]
  times[#times + 1] = found[index + 1]
end
local known, bytes = {}, 0
for first = 1, #ids, SOME do
  if bytes >= enough then
    break
  end
  for _, value in ipairs(redis.call('HMGET', KEYS[2], unpack(ids, first, math.min(first + SOME - 1, #ids)))) do
    known[#known + 1] = value
    bytes = bytes + (value and #value or 0)
  end
end
return { ids, times, known }
