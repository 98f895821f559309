-- Places of a key: each holder holds one.

local lease = { keys = 2 }
kinds.lease = lease

function lease.read(keys, claim, now)
  return { key = keys[1], claim = claim, now = now, holds = holds.of(keys[2], now, unpack(fetch(keys[1], 4))) }
end

function lease.fits(self)
  return holds.fit(self.holds, 1, self.claim.limit)
end

function lease.write(self)
  local held = self.holds
  store(self.key, math.max(0, held.last - self.now), held.held, held.first, held.last, held.swept)
  holds.sweep(held)
end

function lease.take(self, reservation)
  holds.add(self.holds, reservation, 1, self.now + microseconds(self.claim.ttl_s))
  lease.write(self)
  return { key = self.key, holds = self.holds.key, member = self.holds.member }
end

function lease.denied(self)
  if #self.holds.ended > holds.SWEEP then
    lease.write(self)
  end
end

function lease.tell(self)
  return self.claim.limit - self.holds.held, holds.reset(self.holds)
end

-- Waiting alone helps when leases end that nobody settles.
function lease.wait(self)
  return self.claim.limit > 0 and holds.wait(self.holds, self.holds.held + 1 - self.claim.limit) or -1
end

function lease.settle(part, used)
  local found = fetch(part.key, 4)
  if found[1] then
    found[1] = holds.release(part, found[1])
    store(part.key, math.max(0, found[3] - used.now), unpack(found))
  else
    holds.release(part, 0)
  end
end
