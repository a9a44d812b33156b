--- Development mode: warnings, with file and line, of what will be slow or is lost.

local caller = require "modm.caller"
local events = require "modm.events"
local growth = require "modm.develop.growth"
local misuse = require "modm.misuse"
local options = require "modm.options"
local probe = require "modm.probe"
local repeats = require "modm.develop.repeats"
local scans = require "modm.develop.scans"

---@class modm.Warning
---@field kind string "repeated_query", "no_index", "growing_document" or "dangling_reference"
---@field place string|nil "file:line" of the program
---@field message string
---@field operation modm.Operation|nil
---@field model string|nil
---@field key any

local known = { warn = "function", repeats = "integer", scan_from = "integer", growths = "integer",
  grown_to = "integer", clock = "function" }
local defaults = { repeats = 10, scan_from = 100, growths = 20, grown_to = 16 * 1024,
  clock = os.clock }

local function to_stderr(warning)
  io.stderr:write(("modm: %s: %s\n"):format(warning.place or "?", warning.message))
end

local stop -- what ends the mode that is on

-- Tells of keys that no document has, each once.
local function dangling(warn)
  local told = {}
  return function(meta, key)
    local id = meta.name .. "\n" .. tostring(key)
    if told[id] then return end
    told[id] = true
    warn("dangling_reference", caller.place(), ("a reference to %s points nowhere: no document has "
      .. "the key %s"):format(meta.name, tostring(key)), { model = meta.name, key = key })
  end
end

--- Begins to warn, each thing once, of: the same query shape sent again and again from one line; a
--- query that no index answers; a document that grows with every save; a reference that points
--- nowhere. It asks the server to explain each shape of a query once, and costs accordingly: it is
--- for development. A second call replaces the first.
---@param given { warn: fun(warning: modm.Warning)?, repeats: integer?, scan_from: integer?,
---  growths: integer?, grown_to: integer?, clock: (fun(): number)? }|nil warn: gets each warning
---  (standard error without); repeats: so many of one shape are no loop yet (10); scan_from:
---  documents that a collection has before a scan matters (100); growths: saves in a row that made
---  a document larger (20); grown_to: bytes below which it does not matter (16384); clock: seconds
---@return fun() off call it to end this
local function develop(given)
  options.check("develop", given, known)
  local set = setmetatable({}, { __index = defaults })
  for name, value in pairs(given or {}) do set[name] = value end
  for _, name in ipairs { "repeats", "scan_from", "growths", "grown_to" } do
    if set[name] < 0 then misuse("develop: %s must not be negative", name) end
  end
  if stop then stop() end
  local tell = set.warn or to_stderr
  local function warn(kind, place, text, more)
    more.kind, more.place, more.message = kind, place, text
    tell(more)
  end
  local repeated = repeats.new(set.repeats, warn, set.clock)
  local scanned, is_asking = scans.new(set.scan_from, warn)
  local off = events.on("operation", function(operation)
    if is_asking() then return end
    repeated(operation)
    scanned(operation)
  end)
  probe.saved = growth.new(set.growths, set.grown_to, warn, caller.place)
  probe.dangling = dangling(warn)
  local function own_stop()
    if stop ~= own_stop then return end
    stop, probe.saved, probe.dangling = nil, nil, nil
    off()
  end
  stop = own_stop
  return own_stop
end

return develop
