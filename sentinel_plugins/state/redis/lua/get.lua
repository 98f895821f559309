-- A value; one of another type, or larger than any that we write, is removed and counts as none (R08).
--
-- KEYS: the value. ARGV: how many bytes it may have. Answers {value or false, repaired}.

local size = redis.pcall('STRLEN', KEYS[1])
if type(size) == 'table' or size > tonumber(ARGV[1]) then
  redis.call('UNLINK', KEYS[1])
  return { false, 1 }
end
return { redis.call('GET', KEYS[1]), 0 }
