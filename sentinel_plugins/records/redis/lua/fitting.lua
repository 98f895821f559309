-- How many rows of several tenants, in the order of their ids, are enough for one answer.
--
-- KEYS: as in append. ARGV: how many bytes are enough, then for each row: id, the index of its tenant's keys, or 0.

local enough, bytes = tonumber(ARGV[1]), 0
for index = 2, #ARGV, 2 do
  local keys = tonumber(ARGV[index + 1])
  if keys > 0 then
    bytes = bytes + redis.call('HSTRLEN', KEYS[keys], ARGV[index])
  end
  if bytes >= enough then
    return index / 2
  end
end
return (#ARGV - 1) / 2
