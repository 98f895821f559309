-- Add to a counter that ends when its first increment said; what is no counter is removed and begun anew (R08).
--
-- KEYS: the counter. ARGV: how much; milliseconds. Answers {value, repaired}.

local repaired = 0
local value = redis.pcall('INCRBY', KEYS[1], ARGV[1])
if type(value) == 'table' and redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('UNLINK', KEYS[1])
  repaired = 1
  value = redis.call('INCRBY', KEYS[1], ARGV[1])
elseif type(value) == 'table' then
  return value
end
if redis.call('PTTL', KEYS[1]) < 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return { value, repaired }
