-- Amounts that reservations hold: the part that leases and budgets share. A sorted set has each of them, "amount
-- reservation", with its end; beside it are kept their sum (`held`), a time before which none of them ends (`first`), one
-- after which none is left (`last`), and `swept`.

local holds = {}

holds.WALK = 1024  -- how many of them a denial looks at to say how long to wait
holds.SWEEP = 32   -- so many that have ended are removed by a denial, too

function holds.amount(member)
  return tonumber(string.match(member, '^(%d+) ')) or 0
end

-- What is held now, from what is written down; where that was lost, from the reservations themselves.
function holds.of(key, now, held, first, last, swept)
  if not held then
    held, first, last = holds.counted(key)
  end
  local self = { key = key, now = now, held = held or 0, ended = {} }
  self.first, self.last, self.swept = first or 0, last or 0, swept or 0
  if self.held > 0 and self.first <= now then
    self.ended = read('ZRANGEBYSCORE', key, '-inf', digits(now)) or {}
    for _, member in ipairs(self.ended) do
      self.held = self.held - holds.amount(member)
    end
    local next_end = redis.call('ZRANGEBYSCORE', key, '(' .. digits(now), '+inf', 'WITHSCORES', 'LIMIT', 0, 1)[2]
    self.first, self.held = tonumber(next_end) or 0, next_end and self.held or 0
  end
  return self
end

-- The sum of all amounts, and the first and the last of their ends.
function holds.counted(key)
  local found, sum = read('ZRANGEBYSCORE', key, '-inf', '+inf', 'WITHSCORES') or {}, 0
  for index = 1, #found, 2 do
    sum = sum + holds.amount(found[index])
  end
  return sum, tonumber(found[2]), tonumber(found[#found])
end

-- Whether there is room. What is held may have been lost: that is looked up before anybody is denied for it.
function holds.fit(self, amount, room)
  if self.held + amount > room and self.held > 0 and (read('ZCARD', self.key) or 0) == 0 then
    self.held = 0
  end
  return self.held + amount <= room
end

function holds.add(self, reservation, amount, ends)
  local some = self.held > 0
  self.first = some and math.min(self.first, ends) or ends
  self.last = some and math.max(self.last, ends) or ends
  self.held = self.held + amount
  self.member = digits(amount) .. ' ' .. reservation
  put('ZADD', self.key, digits(ends), self.member)
  local swept = sweep_time(self.last, self.swept)
  keep(self.key, self.now, swept, some and self.swept)  -- an empty set is gone, and its end with it
  self.swept = swept
end

function holds.sweep(self)
  if #self.ended > 0 then
    redis.call('ZREMRANGEBYSCORE', self.key, '-inf', digits(self.now))
  end
end

function holds.reset(self)
  return self.held > 0 and math.max(0, self.last - self.now) or 0
end

-- How long until so much has ended by itself; -1 where less than that is held.
function holds.wait(self, missing)
  local wait = -1
  local found = redis.call('ZRANGEBYSCORE', self.key, '(' .. digits(self.now), '+inf', 'WITHSCORES', 'LIMIT', 0,
    holds.WALK)
  for index = 1, #found, 2 do
    missing, wait = missing - holds.amount(found[index]), found[index + 1] - self.now
    if missing <= 0 then
      break
    end
  end
  return wait
end

-- Let go of one; what was released is taken from the sum.
function holds.release(part, held)
  return read('ZREM', part.holds, part.member) == 1 and held - holds.amount(part.member) or held
end
