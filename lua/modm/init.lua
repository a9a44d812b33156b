--- modm: models for MongoDB. `require "modm"` gives this table.

local atomic = require "modm.atomic"
local core = require "modm.core"
local connection = require "modm.connection"
local errors = require "modm.errors"
local events = require "modm.events"
local fields = require "modm.fields"
local file = require "modm.file"
local gridfs = require "modm.gridfs"
local limits = require "modm.limits"
local manager = require "modm.manager"
local model = require "modm.model"
local operators = require "modm.operators"
local queryset = require "modm.queryset"
local relation = require "modm.relation"
local scoped = require "modm.model.scoped"
local session = require "modm.session"
local transaction = require "modm.transaction"

local modm = {
  _VERSION = "modm scm",
  connect = connection.connect,
  disconnect = connection.disconnect,
  stats = connection.stats,
  timeout = limits.timeout,
  canceller = limits.canceller,
  on = events.on,
  develop = require "modm.develop",
  session = session.begin,
  transaction = transaction.run,
  MongoModel = model.MongoModel,
  EmbeddedMongoModel = model.EmbeddedMongoModel,
  fields = fields.fields,
  File = file.File,
  ContentFile = file.ContentFile,
  GridFSStorage = gridfs.GridFSStorage,
  Manager = manager.Manager,
  QuerySet = queryset.QuerySet,
  change = atomic.change,
  dereference = relation.dereference,
  no_auto_dereference = relation.no_auto_dereference,
  switch_connection = scoped.switch_connection,
  switch_collection = scoped.switch_collection,
  collection_options = scoped.collection_options,
  -- delete rules, by PyMODM's numbers
  DO_NOTHING = 0, NULLIFY = 1, CASCADE = 2, DENY = 3, PULL = 4,
  -- errors that a program makes itself, in a model's clean
  ValidationError = function(tree)
    if type(tree) ~= "table" then tree = { clean = { tostring(tree) } } end
    return errors.new("ValidationError", "not valid", { errors = tree })
  end,
}

for _, name in ipairs {
  "ObjectId", "DateTime", "Decimal128", "Binary", "UUID", "Regex", "JavaScript", "Timestamp",
    "MinKey",
  "MaxKey", "DBRef", "Int64", "null", "ordered", "array", "object", "type",
} do
  modm[name] = core[name]
end

for name, constructor in pairs(operators) do modm[name] = constructor end

-- What order_by takes to sort by how well words of modm.text were found, the best first.
modm.text_score = { "score", { ["$meta"] = "textScore" } }

return modm
