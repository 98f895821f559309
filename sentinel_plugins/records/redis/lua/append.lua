-- Adds rows whose ids are not yet there; the whole batch in one step.
--
-- KEYS: tenants by id, ids by time, then for each tenant: rows by id, ids by time.
-- ARGV: for each row: id, tenant, the index of its tenant's keys, time, text.

for index = 1, #ARGV, 5 do
  local id, tenant, keys, at, text = unpack(ARGV, index, index + 4)
  keys = tonumber(keys)
  if redis.call('HSETNX', KEYS[1], id, tenant) == 1 then
    redis.call('HSET', KEYS[keys], id, text)
    redis.call('ZADD', KEYS[keys + 1], at, id)
    redis.call('ZADD', KEYS[2], at, id)
  end
end
return #ARGV / 5
