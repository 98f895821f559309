-- Two counters that slide: `before` counts the period before `period` and is weighed by how much of it still lies in
-- the window, `current` counts `period` itself. Weights are microseconds, so nothing is rounded. `born` tells counters
-- from those that take their place after an eviction: what was counted there is not theirs to give back.

local sliding_window = {}
kinds.sliding_window = sliding_window

function sliding_window.counters(key, now, span)
  local found = fetch(key, 3)
  local self = { key = key, now = now, span = span, period = math.floor(now / span), before = 0, current = 0 }
  self.born = found[1] and (found[4] or 0) or now
  if found[1] == self.period then
    self.before, self.current = found[2], found[3]
  elseif found[1] == self.period - 1 then
    self.before = found[3]
  end
  return self
end

function sliding_window.write(self)
  store(self.key, (self.period + 2) * self.span - self.now, self.period, self.before, self.current, self.born)
end

function sliding_window.used(self)
  return self.before * (self.span - self.now % self.span) + self.current * self.span
end

function sliding_window.read(keys, claim, now)
  local self = sliding_window.counters(keys[1], now, microseconds(claim.period_s))
  self.claim = claim
  return self
end

function sliding_window.fits(self)
  return sliding_window.used(self) + self.claim.cost * self.span <= self.claim.limit * self.span
end

function sliding_window.take(self)
  self.current = self.current + self.claim.cost
  sliding_window.write(self)
  return { key = self.key, period = self.period, span = self.span, cost = self.claim.cost, born = self.born }
end

function sliding_window.denied() end

function sliding_window.tell(self)
  local periods = self.current > 0 and 2 or self.before > 0 and 1 or 0
  local reset = periods > 0 and (self.period + periods) * self.span - self.now or 0
  return math.floor((self.claim.limit * self.span - sliding_window.used(self)) / self.span), reset
end

-- Until the older counter weighs little enough: this period's older one, or the next period's.
function sliding_window.wait(self)
  local claim = self.claim
  if claim.cost > claim.limit then
    return -1
  end
  local start, room, older = self.period * self.span, claim.limit - self.current - claim.cost, self.before
  if room < 0 then
    start, room, older = start + self.span, claim.limit - claim.cost, self.current
  end
  return start + self.span - math.floor(room * self.span / math.max(1, older)) - self.now
end

-- Replace the cost in the counter that has it; one that counts no more stays as it is.
function sliding_window.settle(part, used)
  local units = used.units[part.name]
  local self = sliding_window.counters(part.key, used.now, part.span)
  local age = self.period - part.period
  if units and age <= 1 and self.born == (part.born or 0) then
    local counter = age == 0 and 'current' or 'before'
    self[counter] = self[counter] + units - part.cost
    sliding_window.write(self)
  end
end
