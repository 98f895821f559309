-- A sliding log in one hash. Its entries, {end, cost}, are numbered; `meta` has the number of the oldest (`head`) and of
-- the next one, the sum of their costs (`used`), and the ends of the oldest and the newest (`first`, `last`). One log
-- has one period and time never goes back, so entries leave in the order in which they came.

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
    for offset, packed in ipairs(redis.call('HMGET', log.key, unpack(names))) do
      log.cached[number + offset - 1] = numbers(packed or '', 2) or { 0, 0 }
    end
  end
  return unpack(log.cached[number])
end

function exact.read(keys, claim, now)
  local packed = read('HGET', keys[1], 'meta')
  local found = packed and numbers(packed, 6)
  if not found and packed ~= nil and redis.call('EXISTS', keys[1]) == 1 then
    repair(keys[1])
  end
  local log = { key = keys[1], claim = claim, now = now, cached = {} }
  log.used, log.head, log.next, log.first, log.last, log.swept = unpack(found or { 0, 0, 0, 0, 0, 0 })
  log.swept_to = log.head
  if log.last <= now then
    log.used, log.head = 0, log.next
  end
  while log.head < log.next and log.first <= now do
    local _, cost = exact.entry(log, log.head)
    log.used, log.head = log.used - cost, log.head + 1
    log.first = log.head < log.next and exact.entry(log, log.head) or 0
  end
  return log
end

function exact.fits(log)
  return log.used + log.claim.cost <= log.claim.limit
end

-- Remove the entries that have left.
function exact.sweep(log)
  if log.head == log.next then
    if log.swept > 0 then  -- a script that has deleted is not asked about memory any more
      redis.call('UNLINK', log.key)
      log.swept = 0
    end
    return
  end
  for from = log.swept_to, log.head - 1, exact.DELETE do
    local names = {}
    for number = from, math.min(from + exact.DELETE, log.head) - 1 do
      names[#names + 1] = digits(number)
    end
    redis.call('HDEL', log.key, unpack(names))
  end
end

function exact.write(log, ...)
  local swept = sweep_time(log.last, log.swept)
  local meta = cmsgpack.pack({ log.used, log.head, log.next, log.first, log.last, swept })
  redis.call('HSET', log.key, 'meta', meta, ...)
  keep(log.key, log.now, swept, log.swept)
end

function exact.take(log)
  exact.sweep(log)
  local number, cost = log.next, log.claim.cost
  log.last = log.now + microseconds(log.claim.period_s)
  log.first = log.head < number and log.first or log.last
  log.used, log.next = log.used + cost, number + 1
  exact.write(log, digits(number), cmsgpack.pack({ log.last, cost }))
  return { key = log.key, number = number, ends = log.last, cost = cost }
end

function exact.denied(log)
  if log.head - log.swept_to > exact.SWEEP and log.head < log.next then
    exact.sweep(log)
    exact.write(log)
  end
end

function exact.tell(log)
  return log.claim.limit - log.used, log.used > 0 and log.last - log.now or 0
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
  if not units or part.ends <= used.now then
    return
  end
  local found = read('HMGET', part.key, number, 'meta') or {}
  local meta = numbers(found[2] or '', 6)
  if meta and found[1] == cmsgpack.pack({ part.ends, part.cost }) then
    meta[1] = meta[1] + units - part.cost
    redis.call('HSET', part.key, number, cmsgpack.pack({ part.ends, units }), 'meta', cmsgpack.pack(meta))
  end
end
