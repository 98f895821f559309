-- What all steps share. Times are microseconds, exact in a double until the year 2255. Keys live a little longer than
-- what they hold: the times inside decide, a key's own end only sweeps up.

local SWEEP = 60 * 1000000
local CLOCK_SPAN = 31 * 86400 * 1000000
local LARGEST = 65535  -- bytes: nothing that we pack is larger

local repaired = 0

local function digits(number)
  return string.format('%.0f', number + 0)  -- minus nought becomes nought
end

local function microseconds(seconds)
  return math.max(1, math.floor(seconds * 1000000 + 0.5))
end

-- Somebody else's value, or a damaged one, under a name of ours counts as none (R08).
local function repair(key)
  redis.call('UNLINK', key)
  repaired = repaired + 1
end

-- The reply of a reading command, or nil where the key holds another type.
local function read(command, key, ...)
  local reply = redis.pcall(command, key, ...)
  if type(reply) ~= 'table' or not reply.err then
    return reply
  end
  if not string.find(reply.err, 'WRONGTYPE', 1, true) then
    return redis.call(command, key, ...)  -- raises what it was
  end
  repair(key)
  return nil
end

-- A writing command; a key that holds another type is emptied before.
local function put(command, key, ...)
  return read(command, key, ...) or redis.call(command, key, ...)
end

-- What was packed into a value, nil where it was something else.
local function unpacked(packed)
  local sound, found = pcall(cmsgpack.unpack, packed)
  return sound and type(found) == 'table' and found or nil
end

-- So many numbers that were packed together; none of them where they are not just that.
local function numbers(packed, count)
  local found = unpacked(packed)
  for index = 1, count do
    if not found or type(found[index]) ~= 'number' then
      return nil
    end
  end
  return found
end

-- The value of a key, none where it is empty or too large to be ours.
local function value(key)
  local packed = read('GETRANGE', key, 0, LARGEST)
  return packed ~= '' and packed or nil
end

-- The numbers that a key keeps, an empty table where it keeps none.
local function fetch(key, count)
  local packed = value(key)
  local found = packed and numbers(packed, count)
  if packed and not found then
    repair(key)
  end
  return found or {}
end

-- Keep numbers for a while; for good where `span` is nil.
local function store(key, span, ...)
  if span then
    redis.call('SET', key, cmsgpack.pack({ ... }), 'PX', digits(math.ceil((span + SWEEP) / 1000)))
  else
    redis.call('SET', key, cmsgpack.pack({ ... }))
  end
end

-- When a key of another type than that ends by itself: one or two `SWEEP` after what it holds. What was written last is
-- remembered as `swept`, so it is written once in a while and not with every step.
local function sweep_time(ends, swept)
  return swept >= ends + SWEEP and swept or ends + 2 * SWEEP
end

local function keep(key, now, swept, before)
  if swept ~= before then
    redis.call('PEXPIRE', key, digits(math.ceil((swept - now) / 1000)))
  end
end

-- A tenant's time never goes back, though the server's may: whoever writes for a tenant writes the time down, and what
-- a jump back lost is added from then on. A jump forward cannot be told from waiting.
local clock = {}

function clock.write(self)
  store(self.key, CLOCK_SPAN, self.raw, self.lost)
end

function clock.read(key)
  local raw, found = server_time(), fetch(key, 2)
  local seen, lost = found[1] or raw, found[2] or 0
  local self = { key = key, raw = raw, lost = lost + math.max(0, seen - raw) }
  self.now = self.raw + self.lost
  if raw < seen then
    clock.write(self)
  end
  return self
end

-- What a reservation took (`parts`), or that its id is gone; nil where nothing is known of it.
local function record(key, now)
  local packed = value(key)
  local kept = packed and unpacked(packed)
  if packed and (not kept or type(kept.ends) ~= 'number') then
    repair(key)
    return nil
  end
  return kept and kept.ends > now and kept or nil
end

-- How each kind of claim is counted: read(keys, claim, now), which writes nothing; fits, tell (what remains, and when
-- nothing is counted any more), wait (-1: that does not help); take, which returns what `settle` needs; denied.
local kinds = {}
