-- A sliding log in one hash: `head` and `next` number its entries, `used` is their sum, and each entry is "end cost".
-- One log has one period and time never goes back, so entries leave in the order in which they came.

local exact = {}
kinds.exact = exact

exact.WALK = 1024  -- how many entries a denial looks at to say how long to wait
exact.SWEEP = 32   -- so many that have ended are removed by a denial, too: else each would walk over them again
exact.BATCH = 64
exact.DELETE = 1000

-- An entry's end and cost. Reads ahead, because whoever wants one mostly wants the next.
function exact.entry(log, number)
  if not log.cached[number] then
    local names = {}
    for wanted = number, math.min(number + exact.BATCH, log.next) - 1 do
      names[#names + 1] = digits(wanted)
    end
    for offset, text in ipairs(redis.call('HMGET', log.key, unpack(names))) do
      local ends, cost = string.match(text or '', '^(%d+) (%d+)$')
      log.cached[number + offset - 1] = { tonumber(ends) or 0, tonumber(cost) or 0 }
    end
  end
  return unpack(log.cached[number])
end

function exact.read(keys, claim, now)
  local log = { key = keys[1], claim = claim, now = now, period = microseconds(claim.period_s), cached = {} }
  local found = numbers(log.key, 'used', 'head', 'next')
  log.used, log.head, log.next = found[1] or 0, found[2] or 0, found[3] or 0
  log.first = log.head
  if log.head < log.next and exact.entry(log, log.next - 1) <= now then
    log.used, log.head = 0, log.next
  end
  while log.head < log.next do
    local ends, cost = exact.entry(log, log.head)
    if ends > now then
      break
    end
    log.used, log.head = log.used - cost, log.head + 1
  end
  return log
end

function exact.fits(log)
  return log.used + log.claim.cost <= log.claim.limit
end

-- Remove the entries that have left.
function exact.sweep(log)
  if log.head == log.next then
    redis.call('UNLINK', log.key)
    return
  end
  for from = log.first, log.head - 1, exact.DELETE do
    local names = {}
    for number = from, math.min(from + exact.DELETE, log.head) - 1 do
      names[#names + 1] = digits(number)
    end
    redis.call('HDEL', log.key, unpack(names))
  end
end

function exact.write(log, ...)
  redis.call('HSET', log.key, 'used', digits(log.used), 'head', digits(log.head), 'next', digits(log.next), ...)
  keep(log.key, log.period)
end

function exact.take(log)
  exact.sweep(log)
  local number, ends, cost = log.next, log.now + log.period, log.claim.cost
  log.used, log.next = log.used + cost, number + 1
  log.cached[number] = { ends, cost }
  exact.write(log, digits(number), digits(ends) .. ' ' .. digits(cost))
  return { key = log.key, number = number, ends = ends, cost = cost }
end

function exact.denied(log)
  if log.head - log.first > exact.SWEEP and log.head < log.next then
    exact.sweep(log)
    exact.write(log)
  end
end

function exact.tell(log)
  return log.claim.limit - log.used, log.used > 0 and exact.entry(log, log.next - 1) - log.now or 0
end

function exact.wait(log)
  local excess, wait = log.used + log.claim.cost - log.claim.limit, -1
  if log.claim.cost > log.claim.limit then
    return -1
  end
  for number = log.head, math.min(log.head + exact.WALK, log.next) - 1 do
    local ends, cost = exact.entry(log, number)
    excess, wait = excess - cost, ends - log.now
    if excess <= 0 then
      break
    end
  end
  return wait
end

-- Replace the cost of an entry that has not left.
function exact.settle(part, used)
  local number, units = digits(part.number), used.units[part.name]
  local as_taken = digits(part.ends) .. ' ' .. digits(part.cost)
  if units and part.ends > used.now and read('HGET', part.key, number) == as_taken then
    redis.call('HSET', part.key, number, digits(part.ends) .. ' ' .. digits(units))
    redis.call('HINCRBY', part.key, 'used', digits(units - part.cost))
  end
end
