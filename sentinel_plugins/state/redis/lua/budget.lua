-- Money of one key and period: `committed` for good and never less than the claim says was spent, the rest held by open
-- reservations. One that is not known, and of which the claim says nothing, is `unknown`: nobody is admitted by it.

local budget = { keys = 2 }
kinds.budget = budget

function budget.read(keys, claim, now)
  local found = fetch(keys[1], 5)
  local known, spent = found[1] ~= nil, claim.spent_nanousd
  return {
    key = keys[1], claim = claim, now = now, holds = holds.of(keys[2], now, unpack(found, 2, 5)),
    committed = math.max(found[1] or 0, spent or 0), known = known, unknown = not known and not spent,
  }
end

-- What costs nothing always fits, also where more was spent than allowed.
function budget.fits(self)
  local reserve = self.claim.reserve_nanousd
  return reserve == 0 or holds.fit(self.holds, reserve, self.claim.limit_nanousd - self.committed)
end

-- How long an account is kept that is charged now; nil is for good.
function budget.span(claim)
  return claim.keep_s and math.max(microseconds(claim.keep_s), microseconds(claim.ttl_s))
end

function budget.write(self)
  local held = self.holds
  store(self.key, budget.span(self.claim), self.committed, held.held, held.first, held.last, held.swept)
  holds.sweep(held)
end

function budget.take(self, reservation)
  holds.add(self.holds, reservation, self.claim.reserve_nanousd, self.now + microseconds(self.claim.ttl_s))
  budget.write(self)
  return { key = self.key, holds = self.holds.key, member = self.holds.member, span = budget.span(self.claim) }
end

function budget.denied(self)
  if self.known and #self.holds.ended > holds.SWEEP then
    budget.write(self)
  end
end

function budget.tell(self)
  return self.claim.limit_nanousd - self.committed - self.holds.held, holds.reset(self.holds)
end

-- Waiting brings back what is reserved, never what is spent.
function budget.wait(self)
  local needed = self.committed + self.claim.reserve_nanousd - self.claim.limit_nanousd
  return needed <= 0 and holds.wait(self.holds, needed + self.holds.held) or -1
end

-- Commit what was really spent, also where the reservation's own time was over already. An account that was lost
-- meanwhile stays lost, though its reservations may still be there: the next claim brings what the ledger knows.
function budget.settle(part, used)
  local found = fetch(part.key, 5)
  if found[1] then
    found[1], found[2] = found[1] + used.nanousd, holds.release(part, found[2])
    store(part.key, part.span, unpack(found))
  else
    holds.release(part, 0)
  end
end
