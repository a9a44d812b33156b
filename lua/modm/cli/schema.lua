--- `modm schema`: the models' rules as $jsonSchema, shown or installed.

local core = require "modm.core"
local failure = require "modm.cli.failure"
local json = require "modm.cli.json"
local models = require "modm.cli.models"

---@type modm.cli.Command
local schema = {
  name = "schema",
  takes = { "URI", "MODELS.lua" },
  options = {
    { "model", "NAME", "only this model of the file" },
    { "install", "LEVEL", "install it on the server: strict, moderate or off" },
    { "action", "ACTION", "with --install: error (the default) or warn" },
  },
  text = [[
Prints or installs the $jsonSchema of each model's collection.

The rules that it cannot say are told on standard error. With --install it becomes the collection's
validator, and what was there is printed.]],
}

local allowed = {
  install = { strict = true, moderate = true, off = true },
  action = { error = true, warn = true },
}

local function check(given)
  for name, values in pairs(allowed) do
    if given[name] and not values[given[name]] then
      failure.raise(failure.USAGE, ("--%s does not take '%s'"):format(name, given[name]))
    end
  end
end

-- What is printed of one model.
local function one(given, meta)
  local document, unsaid = meta.model:json_schema()
  local row = { model = meta.name, collection = meta.collection_name, schema = document,
    unsaid = core.array(unsaid) }
  if given.install then
    local installed = failure.check(meta.model:install_validator {
      level = given.install, action = given.action })
    row.created, row.before = installed.created, core.object(installed.before)
  end
  return row
end

function schema.run(given)
  check(given)
  local list = models.load(given["MODELS.lua"], given.model)
  if given.install then models.connect_all(given.URI, list) end
  local rows = {}
  for i, meta in ipairs(models.roots(list)) do rows[i] = one(given, meta) end
  if given.json then
    print(json.encode(core.array(rows)))
    return 0
  end
  for _, row in ipairs(rows) do
    print(json.encode(row.schema))
    if row.before then print("before: " .. json.encode(row.before)) end
    for _, rule in ipairs(row.unsaid) do
      local place = rule.field == "" and rule.model or rule.model .. "." .. rule.field
      io.stderr:write(("%s: not said: %s (%s)\n"):format(place, rule.rule, rule.why))
    end
  end
  return 0
end

return schema
