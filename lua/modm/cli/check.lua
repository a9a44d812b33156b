--- `modm check`: streams whole collections and validates each document.

local arguments = require "modm.cli.arguments"
local core = require "modm.core"
local failure = require "modm.cli.failure"
local family = require "modm.relation.family"
local hooks = require "modm.hooks"
local json = require "modm.cli.json"
local models = require "modm.cli.models"
local progress = require "modm.cli.progress"
local server = require "modm.cli.server"
local errors = require "modm.errors"
local validation = require "modm.validation"

-- How many documents, and bytes, are made of a batch at once.
local MANY, LARGE = 1000, 1024 * 1024

---@type modm.cli.Command
local check = {
  name = "check",
  takes = { "URI", "MODELS.lua" },
  options = {
    { "model", "NAME", "only this model of the file" },
    { "limit", "N", "at most so many documents of each model" },
    { "fail-fast", false, "stop at the first invalid document" },
  },
  text = [[
Validates all documents in the models' collections.

What they refer to is not fetched. Each invalid document is told with its errors; the exit code is
1 when there is one. Nothing is written, and no index is made.
MODELS.lua returns models, or makes them; it is run.]],
}

-- Whether several families lie in one collection; then each sees its own classes.
local function is_shared(roots, meta)
  local n = 0
  for _, other in ipairs(roots) do
    if family.shares_place(other, meta) then n = n + 1 end
  end
  return n > 1
end

-- Errors that are no word about a document: the command cannot go on.
local prevents = { ConfigurationError = true, ConnectionError = true, ServerError = true,
  WriteConcernError = true }

-- What a queryset and full_clean would say of a document: the errors and the message, or nil.
local function verdict(doc)
  local ok, _, err = hooks.run(core.meta_of(doc), doc, "after load")
  if ok then ok, _, err = validation.run(doc, nil, false) end
  if ok then return nil end
  if prevents[err.kind] then failure.raise(failure.SERVER, err.message) end
  local place = ("(%s)"):format(err.hook or "document")
  return err.errors or { [place] = { err.message } }, err.message
end

-- Validates the documents of a batch. Where no function of the program's has a word in it, C alone
-- says that a document is valid.
local function look(meta, list, found)
  local validate, hooked = core.validate, hooks.checks(meta)
  for i = 1, #list do
    local tree, pending, due
    if not hooked then tree, pending, due = validate(list[i]) end
    if hooked or tree or pending or due then
      local tree_of, message = verdict(list[i])
      if tree_of then found(core.key(list[i]), tree_of, message) end
    end
  end
end

--- Validates what an operation finds. Calls seen(n) after each batch, until it returns true, and
--- found(key, errors, message) for each invalid document.
function check.stream(conn, op, meta, seen, found)
  local n, done = 0, false
  while not done do
    local list = {}
    local ok, at_hand, at_end = pcall(core.batch, op, meta.schema, nil, list, 0, MANY, LARGE)
    look(meta, list, found)
    n = n + #list
    if not ok then
      n = n + 1
      local message = errors.plain(at_hand)
      found(op:last()._id, { ["(document)"] = { message } }, message)
    elseif at_end then
      done = true
    elseif #list == 0 then
      failure.check(conn:run(op))
    end
    if seen(n) then break end
  end
  op:close()
end

local function report(given, meta, key, tree, message)
  if given.json then
    print(json.encode { model = meta.name, id = key == nil and core.null or key, errors = tree })
  else
    print(("%s %s: %s"):format(meta.name, tostring(key), message))
  end
end

-- Checks the documents of one model; its line of the summary.
local function check_model(given, meta, roots)
  local conn, collection = meta:place()
  local summary = { model = meta.name, read = 0, invalid = 0, fields = core.object {} }
  local total = math.min(server.count(conn, collection), given.limit or math.huge)
  local line = progress.new(meta.name, total)
  local filter = is_shared(roots, meta) and core.class_filter(meta.schema) or {}
  local op = core.find(conn.client, conn.database, collection, filter, { limit = given.limit })
  check.stream(conn, op, meta, function(n)
    summary.read = n
    line:at(n)
    return given["fail-fast"] and summary.invalid > 0
  end, function(key, tree, message)
    if given["fail-fast"] and summary.invalid > 0 then return end
    summary.invalid = summary.invalid + 1
    for name in pairs(tree) do summary.fields[name] = (summary.fields[name] or 0) + 1 end
    line:clear()
    report(given, meta, key, tree, message)
  end)
  line:clear()
  return summary
end

local function print_summary(given, summaries)
  if given.json then
    print(json.encode { summary = core.array(summaries) })
    return
  end
  for _, one in ipairs(summaries) do
    print(("%s: %d documents, %d invalid"):format(one.model, one.read, one.invalid))
    for _, name in ipairs(json.keys(one.fields)) do
      print(("  %6d  %s"):format(one.fields[name], tostring(name)))
    end
  end
end

-- Says which collections are not there; ends the command when none is.
local function look_for_collections(roots)
  local there, missing = {}, 0
  for _, meta in ipairs(roots) do
    local conn, collection = meta:place()
    if not there[conn] then
      there[conn] = {}
      for _, name in ipairs(server.collections(conn)) do there[conn][name] = true end
    end
    if not there[conn][collection] then
      missing = missing + 1
      failure.say(("%s: %s"):format(meta.name, server.missing(conn, collection)))
    end
  end
  if missing == #roots then failure.raise(failure.USAGE, "there is nothing to check") end
end

function check.run(given)
  local message
  given.limit, message = arguments.number(given, "limit")
  if message then failure.raise(failure.USAGE, message) end
  local list = models.load(given["MODELS.lua"], given.model)
  models.connect_all(given.URI, list)
  local roots, summaries, invalid = models.roots(list), {}, 0
  look_for_collections(roots)
  for i, meta in ipairs(roots) do
    summaries[i] = check_model(given, meta, roots)
    invalid = invalid + summaries[i].invalid
    if given["fail-fast"] and invalid > 0 then break end
  end
  print_summary(given, summaries)
  return invalid > 0 and failure.INVALID or 0
end

return check
