--- `modm inspect`: drafts a model from what is in a collection.

local arguments = require "modm.cli.arguments"
local core = require "modm.core"
local draft = require "modm.cli.inspect.draft"
local failure = require "modm.cli.failure"
local guess = require "modm.cli.inspect.guess"
local json = require "modm.cli.json"
local observe = require "modm.cli.inspect.observe"
local progress = require "modm.cli.progress"
local server = require "modm.cli.server"

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
  for document in server.each(conn, op) do
    observe.add(object, document)
    line:at(object.all.n)
  end
  line:clear()
  return object
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

local function sizes(given)
  local limit, sample, message
  limit, message = arguments.number(given, "limit")
  if not message then sample, message = arguments.number(given, "sample") end
  if message then failure.raise(failure.USAGE, message) end
  return limit or LIMIT, sample
end

-- What was seen of the documents that were asked for; there is at least one.
local function see(conn, collection, limit, sample)
  local total = math.min(server.count(conn, collection), sample or limit)
  local op
  if sample then
    op = core.aggregate(conn.client, conn.database, collection,
      { { ["$sample"] = { size = sample } } })
  else
    op = core.find(conn.client, conn.database, collection, {}, { limit = limit })
  end
  local object = look(conn, op, total)
  if object.all.n > 0 then return object end
  for _, name in ipairs(server.collections(conn)) do
    if name == collection then
      failure.raise(failure.USAGE, ("the collection '%s' has no documents"):format(collection))
    end
  end
  failure.raise(failure.USAGE, server.missing(conn, collection))
end

function inspect.run(given)
  local limit, sample = sizes(given)
  local conn, collection = server.connect(given.URI), given.COLLECTION
  local object = see(conn, collection, limit, sample)
  local text = draft.write(object, collection, given.name, guess.new(conn, collection, object))
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
