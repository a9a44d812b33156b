--- A line on a terminal's standard error that says how far a command is.

local progress = {}

-- Whether a standard stream is a terminal; 5.1 gives the status, later versions a boolean.
local function is_terminal(stream)
  local ok = os.execute("test -t " .. stream .. " 2>/dev/null")
  return ok == true or ok == 0
end

local Progress = {}
Progress.__index = Progress

local WIDTH = 24

local function bar(share)
  local full = math.floor(share * WIDTH)
  return "[" .. ("#"):rep(full) .. ("."):rep(WIDTH - full) .. "]"
end

--- Takes note of how many are done; draws at most once a second.
---@param done integer
function Progress:at(done)
  local now = os.time()
  if not self.shown or now == self.last then return end
  self.last = now
  local rate = done / math.max(now - self.start, 1)
  local text = ("%s %d documents, %d/s"):format(self.what, done, rate)
  if self.total and self.total > 0 then
    text = ("%s, %ds left"):format(text, math.max(self.total - done, 0) / math.max(rate, 1))
    text = bar(math.min(done / self.total, 1)) .. " " .. text
  end
  io.stderr:write("\r\27[K", text)
end

--- Takes the line away.
function Progress:clear()
  if self.shown then io.stderr:write "\r\27[K" end
end

--- The line is drawn when standard error is a terminal.
---@param what string
---@param total integer|nil how many there are, about
function progress.new(what, total)
  return setmetatable({ what = what, total = total, start = os.time(), shown = is_terminal(2) },
    Progress)
end

progress.is_terminal = is_terminal

return progress
