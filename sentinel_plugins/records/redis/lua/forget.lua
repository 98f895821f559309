-- Forgets rows, if they are still older than a time: an id may have come anew meanwhile.
--
-- KEYS: as in append. ARGV: the time, then for each row: id, the index of its tenant's keys.
-- Answers how many there were.

local count = 0
for index = 2, #ARGV, 2 do
  local id, keys = ARGV[index], tonumber(ARGV[index + 1])
  local at = redis.call('ZSCORE', KEYS[2], id)
  if at and tonumber(at) < tonumber(ARGV[1]) then
    redis.call('ZREM', KEYS[2], id)
    redis.call('ZREM', KEYS[keys + 1], id)
    redis.call('HDEL', KEYS[keys], id)
    redis.call('HDEL', KEYS[1], id)
    count = count + 1
  end
end
return count
