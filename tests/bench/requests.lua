-- One request after the other: a path and a body in which @N@ is the running number, @RUN@ this burst, @NOW@ the time.
local count, run = 0, string.format("%x", os.time())
local method, path, body, rows = @METHOD@, @PATH@, @BODY@, @ROWS@
wrk.headers["Content-Type"] = "application/json"
local function filled(text)
  local number = string.format("%07d", count * 7919 % rows + 1)
  text = text:gsub("@N@", number):gsub("@COUNT@", tostring(count)):gsub("@RUN@", run)
  return (text:gsub("@NOW@", os.date("!%Y-%m-%dT%H:%M:%SZ")))
end
function request()
  count = count + 1
  return wrk.format(method, filled(path), nil, body ~= "" and filled(body) or nil)
end
