-- The oldest ids before a time, and their tenants.
--
-- KEYS: ids by time, tenants by id. ARGV: the time, how many.

local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[1], 'LIMIT', 0, ARGV[2])
if #ids == 0 then
  return { ids, {} }
end
return { ids, redis.call('HMGET', KEYS[2], unpack(ids)) }
