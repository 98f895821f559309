-- The generic cell rate algorithm as a leaky bucket. A level is in units times microseconds of the period: a unit adds
-- the period, a microsecond takes away `rate`. `drained` is all that ever left the bucket: a reservation's units are
-- out once it has reached the level that their admission left behind, counted from there. `born` tells a bucket from
-- one that takes its place after an eviction.

local gcra = {}
kinds.gcra = gcra

function gcra.bucket(key, now)
  local found = fetch(key, 4)
  local level, at, rate, drained = found[1] or 0, found[2] or now, found[3] or 1, found[4] or 0
  local leaked = math.min(level, math.max(0, now - at) * rate)
  local born = found[1] and (found[5] or 0) or now
  return { key = key, now = now, born = born, level = level - leaked, rate = rate, drained = drained + leaked }
end

-- `ends` is until when somebody may settle for more; the bucket may be full for longer.
function gcra.write(self, ends)
  local span = math.max(ends - self.now, self.level / self.rate)
  store(self.key, span, self.level, self.now, self.rate, self.drained, self.born)
end

function gcra.read(keys, claim, now)
  local self = gcra.bucket(keys[1], now)
  self.claim, self.unit = claim, microseconds(claim.period_s)
  self.depth = claim.limit > 0 and claim.burst or claim.limit
  self.excess = self.level + (claim.cost - self.depth) * self.unit
  return self
end

function gcra.fits(self)
  return self.excess <= 0
end

-- From here on the bucket leaks at this claim's rate.
function gcra.take(self)
  local cost = self.claim.cost
  self.rate = math.max(1, self.claim.limit)
  self.level = self.level + cost * self.unit
  local ends = self.now + self.unit * self.depth / self.rate
  gcra.write(self, ends)
  local mark = self.drained + self.level
  return { key = self.key, mark = mark, ends = ends, cost = cost, unit = self.unit, born = self.born }
end

function gcra.denied() end

function gcra.tell(self)
  return math.floor((self.depth * self.unit - self.level) / self.unit), math.ceil(self.level / self.rate)
end

function gcra.wait(self)
  return self.claim.cost > self.depth and -1 or math.ceil(self.excess / self.rate)
end

-- Replace the cost. Only what has not leaked out yet returns, and it counts as drained: else a bucket that others
-- filled meanwhile would be emptied for units that left it long ago, and the bound would not hold.
function gcra.settle(part, used)
  local units = used.units[part.name]
  if not units or part.ends <= used.now then
    return
  end
  local self = gcra.bucket(part.key, used.now)
  if self.born == (part.born or 0) then
    local change = (units - part.cost) * part.unit
    local returned = math.min(math.max(0, -change), math.max(0, part.mark - self.drained))
    self.drained, self.level = self.drained + returned, self.level + math.max(0, change) - returned
    gcra.write(self, part.ends)
  end
end
