-- Money of one key and period: `committed` for good in a hash, beside the sum that open reservations hold; each of
-- those is "amount reservation" in a sorted set, with the time at which it returns by itself.

local budget = { keys = 2 }
kinds.budget = budget

budget.WALK = 1024  -- how many reservations a denial looks at to say how long to wait
budget.SWEEP = 32   -- so many that have ended are removed by a denial, too

function budget.amount(member)
  return tonumber(string.match(member, '^(%d+) ')) or 0
end

function budget.read(keys, claim, now)
  local self = { key = keys[1], holds = keys[2], claim = claim, now = now }
  local found = numbers(self.key, 'committed', 'held')
  self.known, self.committed, self.held = found[1] ~= nil, found[1] or claim.spent_nanousd, found[2] or 0
  self.ended = read('ZRANGEBYSCORE', self.holds, '-inf', digits(now)) or {}
  for _, member in ipairs(self.ended) do
    self.held = self.held - budget.amount(member)
  end
  if self.held ~= 0 and redis.call('EXISTS', self.holds) == 0 then
    self.held = 0
  end
  return self
end

-- What costs nothing always fits, also where more was spent than allowed.
function budget.fits(self)
  local reserve = self.claim.reserve_nanousd
  return reserve == 0 or self.committed + self.held + reserve <= self.claim.limit_nanousd
end

function budget.last_end(self)
  return tonumber(redis.call('ZREVRANGE', self.holds, 0, 0, 'WITHSCORES')[2] or self.now)
end

function budget.keep(key, span)
  if span then
    keep(key, span)
  else
    redis.call('PERSIST', key)
  end
end

function budget.write(self)
  if #self.ended > 0 then
    redis.call('ZREMRANGEBYSCORE', self.holds, '-inf', digits(self.now))
  end
  redis.call('HSET', self.key, 'committed', digits(self.committed), 'held', digits(self.held))
end

function budget.take(self, reservation)
  local claim = self.claim
  local member, ttl = digits(claim.reserve_nanousd) .. ' ' .. reservation, microseconds(claim.ttl_s)
  self.held = self.held + claim.reserve_nanousd
  budget.write(self)
  redis.call('ZADD', self.holds, digits(self.now + ttl), member)
  keep(self.holds, budget.last_end(self) - self.now)
  local span = claim.keep_s and math.max(microseconds(claim.keep_s), ttl)
  budget.keep(self.key, span)
  return { key = self.key, holds = self.holds, member = member, span = span }
end

function budget.denied(self)
  if self.known and #self.ended > budget.SWEEP then
    budget.write(self)
  end
end

function budget.tell(self)
  local left = self.claim.limit_nanousd - self.committed - self.held
  return left, math.max(0, budget.last_end(self) - self.now)
end

-- Waiting brings back what is reserved, never what is spent.
function budget.wait(self)
  local needed = self.committed + self.claim.reserve_nanousd - self.claim.limit_nanousd
  if needed > 0 then
    return -1
  end
  local missing, wait = needed + self.held, -1
  local found = redis.call('ZRANGEBYSCORE', self.holds, '(' .. digits(self.now), '+inf', 'WITHSCORES', 'LIMIT', 0,
    budget.WALK)
  for index = 1, #found, 2 do
    missing, wait = missing - budget.amount(found[index]), found[index + 1] - self.now
    if missing <= 0 then
      break
    end
  end
  return wait
end

-- Commit what was really spent, also where the reservation's own time was over already. An account that was lost
-- meanwhile stays lost: the next claim brings what the ledger knows.
function budget.settle(part, used)
  if not numbers(part.key, 'committed', 'held')[1] then
    return
  end
  if read('ZREM', part.holds, part.member) == 1 then
    redis.call('HINCRBY', part.key, 'held', digits(-budget.amount(part.member)))
  end
  redis.call('HINCRBY', part.key, 'committed', digits(used.nanousd))
  budget.keep(part.key, part.span)
end
