-- The status of one EVSE after the other; each Location has two of them.
local statuses = { "AVAILABLE", "CHARGING", "BLOCKED", "OUTOFORDER" }
local count, path = 0, @PATH@
wrk.headers["Content-Type"] = "application/json"
function request()
  count = count + 1
  local number = count * 7919 % @LOCATIONS@ + 1
  local url = string.format("%s/LOC%07d/E%07d-%d", path, number, number, count % 2 + 1)
  local status = statuses[count % #statuses + 1]
  local body = string.format('{"status":"%s","last_updated":"%s"}', status, os.date("!%Y-%m-%dT%H:%M:%SZ"))
  return wrk.format("PATCH", url, nil, body)
end
