-- Take every claim or none.
--
-- KEYS: the reservation's record, its tenant's clock, then those of each claim.
-- ARGV: the reservation; how long its record counts at most; the claims, packed.
-- Answers, packed: {admitted, free, repaired, {{remaining, reset, fits, wait, unknown} …}}. A wait of -1 means that none
-- helps.

local reservation, span = ARGV[1], tonumber(ARGV[2])
local time = clock.read(KEYS[2])
local free = record(KEYS[1], time.now) == nil

local asked, admitted, at = {}, free, 3
for index, claim in ipairs(cmsgpack.unpack(ARGV[3])) do
  local kind = claim.algorithm or string.lower(claim.type)
  local keys = { KEYS[at], KEYS[at + 1] }
  at = at + (kinds[kind].keys or 1)
  local state = kinds[kind].read(keys, claim, time.now)
  asked[index] = { kind = kind, name = claim.key, state = state, fits = kinds[kind].fits(state) }
  admitted = admitted and asked[index].fits and not state.unknown
end

if admitted then
  local parts = {}
  for index, claim in ipairs(asked) do
    local part = kinds[claim.kind].take(claim.state, reservation)
    part.kind, part.name = claim.kind, claim.name
    parts[index] = part
  end
  local kept = cmsgpack.pack({ ends = time.now + span, parts = parts })
  redis.call('SET', KEYS[1], kept, 'PX', digits(math.ceil((span + SWEEP) / 1000)))
  clock.write(time)
end

local told = {}
for index, claim in ipairs(asked) do
  local kind, wait = kinds[claim.kind], -1
  if not admitted then
    kind.denied(claim.state)
  end
  if not claim.fits then
    wait = kind.wait(claim.state)
  end
  local remaining, reset = kind.tell(claim.state)
  told[index] = { math.max(0, remaining), reset, claim.fits, wait, claim.state.unknown or false }
end
return cmsgpack.pack({ admitted, free, repaired, told })
