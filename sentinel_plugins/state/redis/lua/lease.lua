-- The holders of a key in a sorted set, each with the time at which it ends by itself.

local lease = {}
kinds.lease = lease

function lease.read(keys, claim, now)
  local held = read('ZCOUNT', keys[1], '(' .. digits(now), '+inf') or 0
  return { key = keys[1], claim = claim, now = now, held = held }
end

function lease.fits(self)
  return self.held < self.claim.limit
end

function lease.last_end(self)
  return tonumber(redis.call('ZREVRANGE', self.key, 0, 0, 'WITHSCORES')[2] or self.now)
end

function lease.take(self, reservation)
  redis.call('ZREMRANGEBYSCORE', self.key, '-inf', digits(self.now))
  redis.call('ZADD', self.key, digits(self.now + microseconds(self.claim.ttl_s)), reservation)
  keep(self.key, lease.last_end(self) - self.now)
  self.held = self.held + 1
  return { key = self.key }
end

function lease.denied() end

function lease.tell(self)
  return self.claim.limit - self.held, self.held > 0 and lease.last_end(self) - self.now or 0
end

-- Waiting alone helps when leases end that nobody settles.
function lease.wait(self)
  if self.claim.limit <= 0 then
    return -1
  end
  local found = redis.call('ZRANGEBYSCORE', self.key, '(' .. digits(self.now), '+inf', 'WITHSCORES', 'LIMIT',
    self.held - self.claim.limit, 1)
  return found[2] - self.now
end

function lease.settle(part, used)
  read('ZREM', part.key, used.reservation)
end
