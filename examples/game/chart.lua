-- Shows how the game goes: a chart that is drawn anew in a terminal, and else a line a tick.
local chart = {}

local Chart = {}
Chart.__index = Chart

local BARS = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" }
local WIDTH = 50

local function is_terminal()
  local ok = os.execute "test -t 1" -- a shell sees our own standard output
  return ok == true or ok == 0
end

function chart.new()
  return setmetatable({ is_live = is_terminal(), lines = 0 }, Chart)
end

--- The value that a share of a list is not above: 0.5 is the median.
function chart.quantile(list, share)
  local sorted = {}
  for i, value in ipairs(list) do sorted[i] = value end
  table.sort(sorted)
  return sorted[math.max(1, math.ceil(#sorted * share))] or 0
end

-- The last values as bars, the highest of them the longest.
local function bars(list)
  local most, out = chart.quantile(list, 1), {}
  for i = math.max(1, #list - WIDTH + 1), #list do
    out[#out + 1] = BARS[1 + math.floor(list[i] / math.max(most, 1) * (#BARS - 1) + 0.5)]
  end
  return table.concat(out)
end

local function row(label, list)
  return ("%-6s %4.0f ms (median %.0f, highest %.0f)  %s"):format(label, list[#list],
    chart.quantile(list, 0.5), chart.quantile(list, 1), bars(list))
end

-- Over what was drawn before: up, and each line cleared.
function Chart:redraw(lines)
  if self.lines > 0 then io.write(("\27[%dA"):format(self.lines)) end
  for _, line in ipairs(lines) do io.write("\27[2K", line, "\n") end
  self.lines = #lines
  io.flush()
end

--- Shows the figures of a tick.
function Chart:show(seen)
  local pool, bank = seen.pool, seen.bank
  if not self.is_live then
    print(("tick %3d  saved %d in %.0f ms  held %.0f ms  late %d  pool %d running, %d waiting")
      :format(seen.tick, seen.saved, seen.saves[#seen.saves], seen.held[#seen.held], seen.late,
        pool.running, pool.waiting))
    return
  end
  self:redraw {
    ("tick %d of %d, a tick each %d ms, %d late"):format(seen.tick, seen.ticks, seen.tick_ms,
      seen.late),
    row("saves", seen.saves),
    row("held", seen.held),
    ("saved  %.0f players a second"):format(seen.saved * 1000 / seen.tick_ms),
    ("gold   %d payments, %d gifts, %d conflicts"):format(bank.payments, bank.gifts,
      bank.conflicts),
    ("pool   %d running, %d waiting, %d clients, %d done, %d failed"):format(pool.running,
      pool.waiting, pool.in_use, pool.done, pool.failed),
    "top    " .. table.concat(seen.top, ", "),
  }
end

return chart
