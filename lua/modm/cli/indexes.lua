--- `modm indexes`: declared indexes beside the server's.

local core = require "modm.core"
local failure = require "modm.cli.failure"
local json = require "modm.cli.json"
local models = require "modm.cli.models"

---@type modm.cli.Command
local indexes = {
  name = "indexes",
  takes = { "URI", "MODELS.lua" },
  options = {
    { "model", "NAME", "only the collection of this model" },
    { "sync", false, "makes the indexes that are missing" },
    { "drop", false, "with --sync: drops and changes what is not as declared" },
  },
  text = [[
Compares the indexes that models declare with the server's.

Exit code 1 when they differ: `+` is missing on the server, `-` is not declared, `~` differs. With
--sync what is missing is made, with --sync --drop the rest is put right too.]],
}

-- The result as lines of marks and names.
local function print_rows(rows)
  for _, row in ipairs(rows) do
    print(row.collection .. ":" .. (row.differs and "" or " as declared"))
    for _, part in ipairs { { "missing", "+" }, { "extra", "-" }, { "changed", "~" } } do
      for _, index in ipairs(row[part[1]] or {}) do
        local how = index.differs and ": " .. table.concat(index.differs, ", ") or ""
        print(("  %s %s%s"):format(part[2], index.name, how))
      end
    end
    for _, part in ipairs { "created", "modified", "rebuilt", "dropped" } do
      for _, name in ipairs(row[part] or {}) do print(("  %s %s"):format(part, name)) end
    end
  end
end

local function one(given, meta)
  local row
  if given.sync then
    row = failure.check(meta.model:sync_indexes { drop = given.drop == true })
  else
    row = failure.check(meta.model:diff_indexes())
  end
  row.collection = meta.collection_name
  row.differs = #(row.missing or {}) + #row.extra + #row.changed > 0
  return row
end

function indexes.run(given)
  if given.drop and not given.sync then
    failure.raise(failure.USAGE, "--drop goes with --sync")
  end
  local list = models.load(given["MODELS.lua"], given.model)
  models.connect_all(given.URI, list)
  local rows, seen, code = {}, {}, 0
  for _, meta in ipairs(models.roots(list)) do
    local place = meta.connection_alias .. "\n" .. meta.collection_name
    if not seen[place] then
      seen[place] = true
      rows[#rows + 1] = one(given, meta)
      if rows[#rows].differs then code = failure.INVALID end
    end
  end
  if given.json then print(json.encode(core.array(rows))) else print_rows(rows) end
  return code
end

return indexes
