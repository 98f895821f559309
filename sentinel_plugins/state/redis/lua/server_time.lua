-- The server's clock, in microseconds: the one clock that every gateway shares.
local function server_time()
  local now = redis.call('TIME')
  return now[1] * 1000000 + now[2]
end
