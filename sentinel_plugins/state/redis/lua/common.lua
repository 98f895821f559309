-- What all steps share. Times are microseconds, exact in a double until the year 2255. Keys live a little longer than
-- what they hold: the times inside decide, a key's own end only sweeps up.

local SWEEP_MS = 60000
local CLOCK_MS = 31 * 86400 * 1000

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

-- The named whole numbers of a hash; none of them where it does not exist or one of them is no number.
local function numbers(key, ...)
  local texts, found, some = read('HMGET', key, ...) or {}, {}, false
  for index = 1, select('#', ...) do
    some = some or texts[index]
    found[index] = string.match(texts[index] or '', '^%-?%d+$') and tonumber(texts[index])
    if not found[index] then
      if some then
        repair(key)
      end
      return {}
    end
  end
  return found
end

local function keep(key, span)
  redis.call('PEXPIRE', key, digits(math.ceil(math.max(0, span) / 1000) + SWEEP_MS))
end

-- A tenant's time never goes back, though the server's may: whoever writes for a tenant writes the time down, and what
-- a jump back lost is added from then on. A jump forward cannot be told from waiting.
local clock = {}

function clock.write(self)
  redis.call('SET', self.key, digits(self.raw) .. ' ' .. digits(self.lost), 'PX', CLOCK_MS)
end

function clock.read(key)
  local raw = server_time()
  local seen, lost = string.match(read('GET', key) or '', '^(%d+) (%d+)$')
  seen, lost = tonumber(seen) or raw, tonumber(lost) or 0
  local self = { key = key, raw = raw, lost = lost + math.max(0, seen - raw) }
  self.now = self.raw + self.lost
  if raw < seen then
    clock.write(self)
  end
  return self
end

-- What a reservation took (`parts`), or that its id is gone; nil where nothing is known of it.
local function record(key, now)
  local packed = read('GET', key)
  if not packed then
    return nil
  end
  local sound, kept = pcall(cmsgpack.unpack, packed)
  if not sound or type(kept) ~= 'table' or type(kept.ends) ~= 'number' then
    repair(key)
    return nil
  end
  return kept.ends > now and kept or nil
end

-- How each kind of claim is counted: read(keys, claim, now), which writes nothing; fits, tell (what remains, and when
-- nothing is counted any more), wait (-1: that does not help); take, which returns what `settle` needs; denied.
local kinds = {}
