--- `modm inspect`: drafts a model from what is in a collection.

local arguments = require "modm.cli.arguments"
local core = require "modm.core"
local draft = require "modm.cli.inspect.draft"
local failure = require "modm.cli.failure"
local json = require "modm.cli.json"
local models = require "modm.cli.models"
local observe = require "modm.cli.inspect.observe"
local progress = require "modm.cli.progress"

local LIMIT = 10000

---@type modm.cli.Command
local inspect = {
  name = "inspect",
  takes = { "URI", "COLLECTION" },
  options = {
    { "limit", "N", "looks at so many documents, the first ones; default " .. LIMIT },
    { "sample", "N", "looks at so many, chosen by the server" },
    { "name", "NAME", "what the model is called" },
  },
  text = [[
Drafts a Lua model from the documents of a collection.

Types and their shares stand in comments, fields that are always there are required, ObjectIds that
are keys of another collection are guessed to be references. A draft is to be read and changed.]],
}

local function look(conn, op, total)
  local object, line = observe.object(), progress.new("inspect", total)
  while true do
    local document = core.typed(op)
    if document then
      observe.add(object, document)
      line:at(object.all.n)
    elseif op:done() then
      break
    else
      failure.check(conn:run(op))
    end
  end
  line:clear()
  return object
end

local function collections(conn)
  local op = core.command(conn.client, "read", conn.database,
    core.ordered { { "listCollections", 1 }, { "nameOnly", true },
      { "cursor", { batchSize = 1000 } } })
  failure.check(conn:run(op))
  local list = {}
  for _, row in ipairs(op:reply().cursor.firstBatch) do
    if row.type == "collection" and not row.name:find "^system%." then
      list[#list + 1] = row.name
    end
  end
  table.sort(list)
  return list
end

-- How many of the keys are in a collection.
local function hits(conn, collection, keys)
  local op = core.command(conn.client, "read", conn.database, core.ordered {
    { "count", collection }, { "query", { _id = { ["$in"] = core.array(keys) } } } })
  failure.check(conn:run(op))
  return tonumber(tostring(op:reply().n))
end

-- A function that finds the collection that most of some keys are in.
local function guesser(conn, own)
  local all
  return function(keys)
    if #keys == 0 then return nil end
    all = all or collections(conn)
    local best
    for _, name in ipairs(all) do
      local n = hits(conn, name, keys)
      if n > (best and best.hits or 0) or (best and n == best.hits and n > 0 and name == own) then
        best = { collection = name, hits = n, tried = #keys }
      end
    end
    return best
  end
end

-- What was seen, for machines.
local function plain(part)
  local fields = {}
  for i, name in ipairs(part.order) do
    local node = part.fields[name]
    fields[i] = { name = name, seen = node.seen, types = core.object(node.types) }
    if node.objects then fields[i].fields = plain(node.objects.all) end
    if node.items then fields[i].items = core.object(node.items.types) end
  end
  return core.array(fields)
end

function inspect.run(given)
  local limit, sample, message
  limit, message = arguments.number(given, "limit")
  if not message then sample, message = arguments.number(given, "sample") end
  if message then failure.raise(failure.USAGE, message) end
  local conn, collection = models.connect(given.URI), given.COLLECTION
  local op
  if sample then
    op = core.aggregate(conn.client, conn.database, collection,
      { { ["$sample"] = { size = sample } } })
  else
    op = core.find(conn.client, conn.database, collection, {}, { limit = limit or LIMIT })
  end
  local object = look(conn, op, sample or limit or LIMIT)
  if object.all.n == 0 then
    failure.raise(failure.USAGE, ("the collection '%s' has no documents"):format(collection))
  end
  local text = draft.write(object, collection, given.name, guesser(conn, collection))
  if given.json then
    print(json.encode { collection = collection, read = object.all.n, model = text,
      classes = core.array(object.order), fields = plain(object.all) })
  else
    print(("-- Drafted by `modm inspect` from %d documents."):format(object.all.n))
    io.write(text)
  end
  return 0
end

return inspect
