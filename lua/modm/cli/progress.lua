--- A line on a terminal's standard error that says how far a command is.

local progress = {}

-- Whether standard error is a terminal; 5.1 gives the status, later versions a boolean.
local function is_terminal()
  local ok = os.execute "test -t 2"
  return ok == true or ok == 0
end

---@class modm.cli.Progress
---@field what string
---@field total integer|nil
---@field start integer when it began, in seconds
---@field last integer|nil when it was drawn
---@field shown boolean
local Progress = {}
Progress.__index = Progress

local ERASE = "\r\27[K"
local WIDTH = 24

local function bar(share)
  local full = math.floor(share * WIDTH)
  return "[" .. ("#"):rep(full) .. ("."):rep(WIDTH - full) .. "]"
end

--- Takes note of how many are done; draws at most once a second.
---@param done integer
function Progress:at(done)
  local now = os.time()
  if not self.shown or done == 0 or now == self.last then return end
  self.last = now
  local rate = done / math.max(now - self.start, 1)
  local text = ("%s %d documents, %.0f/s"):format(self.what, done, rate)
  if self.total and self.total > 0 then
    local left = math.max(self.total - done, 0) / rate
    text = ("%s %s, %.0fs left"):format(bar(math.min(done / self.total, 1)), text, left)
  end
  io.stderr:write(ERASE, text)
end

--- Takes the line away.
function Progress:clear()
  if self.shown then io.stderr:write(ERASE) end
end

--- The line is drawn when standard error is a terminal.
---@param what string
---@param total integer|nil how many there are, about
---@return modm.cli.Progress
function progress.new(what, total)
  return setmetatable({ what = what, total = total, start = os.time(), shown = is_terminal() },
    Progress)
end

return progress
