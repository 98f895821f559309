-- End a reservation with what it really used, once. An unknown id is marked as gone.
--
-- KEYS: the reservation's record, its tenant's clock. Whatever else is touched is named in the record, and lies under
-- the same hash tag.
-- ARGV: how long an unknown id stays gone; what was used, packed: {units by name, nanousd}.
-- Answers {whether it was known, repaired}.

local time = clock.read(KEYS[2])
local kept = record(KEYS[1], time.now)
clock.write(time)

if not kept or not kept.parts then
  local gone = tonumber(ARGV[1])
  redis.call('SET', KEYS[1], cmsgpack.pack({ ends = time.now + gone }), 'PX', digits((gone + SWEEP) / 1000))
  return { 0, repaired }
end

local used = cmsgpack.unpack(ARGV[2])
used.now = time.now
for _, part in ipairs(kept.parts) do
  kinds[part.kind].settle(part, used)
end
redis.call('UNLINK', KEYS[1])
return { 1, repaired }
