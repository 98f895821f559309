-- Writes a row in the place of the text that its writer read, or where there is none.
--
-- KEYS: tenants by id, ids by time, the tenant's rows by id, its ids by time.
-- ARGV: id, tenant, time, text, and the text that must be there; none where there must be none.
-- Answers whether it was written.

local id, tenant, at, text, expected = unpack(ARGV)
if expected then
  if redis.call('HGET', KEYS[3], id) ~= expected then
    return 0
  end
  redis.call('HSET', KEYS[3], id, text)
  return 1
end
if redis.call('HSETNX', KEYS[1], id, tenant) == 0 then
  return 0
end
redis.call('HSET', KEYS[3], id, text)
redis.call('ZADD', KEYS[4], at, id)
redis.call('ZADD', KEYS[2], at, id)
return 1
