-- PUTs to several parties in turn, all through one hub.
local count, path, body, receivers = 0, @PATH@, @BODY@, @RECEIVERS@
wrk.headers["Content-Type"] = "application/json"
function request()
  count = count + 1
  wrk.headers["OCPI-to-party-id"] = string.format("C%02d", count % receivers)
  return wrk.format("PUT", path, wrk.headers, body)
end
