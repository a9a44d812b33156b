-- Every kind of error: how it comes about, what it has, and its line in docs/errors.md.
local modm = require "modm"
local server = require "spec.support.server"

local f = modm.fields

assert(modm.connect(server.fresh("kinds"), { alias = "kinds" }))

local Model = modm.MongoModel:extend("kinds.Model", {
  n = f.IntegerField {},
  Meta = { connection_alias = "kinds", indexes = { { "n", unique = true } } },
})
local Lost = modm.MongoModel:extend("kinds.Lost", { Meta = { connection_alias = "nowhere" } })
local Away = modm.MongoModel:extend("kinds.Away", { Meta = { connection_alias = "away" } })

-- What a function returns that fails, or raises.
local function returned(fn) return select(2, fn()) end
local function raised(fn)
  local ok, err = pcall(fn)
  assert(not ok, "it did not raise")
  return tostring(err), err
end

local kinds = {
  ValidationError = { returned, function() return Model { n = "x" }:save() end },
  DoesNotExist = { returned, function() return Model.objects:get { n = 99 } end },
  MultipleObjectsReturned = { returned, function()
    return Model.objects:get { n = modm.gt(0) }
  end },
  OperationError = { returned, function() return Model { n = 5 }:refresh_from_db() end },
  InvalidModel = { raised, function()
    local field = f.CharField { mongo_name = "b" }
    modm.MongoModel:extend("kinds.Bad", { a = field, b = f.CharField {} })
  end },
  ModelDoesNotExist = { raised, function()
    local Referring = modm.MongoModel:extend("kinds.Referring", {
      other = f.ReferenceField { "kinds.Nobody" }, Meta = { connection_alias = "kinds" },
    })
    return Referring { other = modm.ObjectId() }:full_clean()
  end },
  ConfigurationError = { returned, function() return Lost.objects:count() end },
  ConnectionError = { returned, function()
    modm.connect("mongodb://127.0.0.1:1/x", { alias = "away", serverSelectionTimeoutMS = 50 })
    return Away.objects:count()
  end },
  ServerError = { returned, function() return Model.objects:raw { ["$nonsense"] = 1 }:list() end },
  DuplicateKeyError = { returned, function() return Model { n = 1 }:save() end },
  WriteConcernError = { returned, function()
    return modm.collection_options(Model, { write_concern = { w = 40 } }, function()
      return Model { n = 40 }:save()
    end)
  end },
}

local page = {}
for line in io.lines("docs/errors.md") do
  local kind = line:match "^| (%u%a+) |"
  if kind then page[kind] = line end
end

describe("the error", function()
  setup(function()
    assert(Model.objects:all():delete())
    assert(Model.objects:bulk_create { Model { n = 1 }, Model { n = 2 } })
  end)

  for kind, case in pairs(kinds) do
    it(kind, function()
      local message, err = case[1](case[2])
      assert.equal(kind, err.kind)
      assert.equal("string", type(message))
      assert.equal(message, tostring(err))
      assert.is_true(err:is(kind))
      assert.is_false(err:is "OtherError")
      assert.truthy(page[kind], "no line in docs/errors.md")
    end)
  end

  it("of each kind that the sources name has a line", function()
    local labels = { TransientTransactionError = true, RetryableWriteError = true }
    local pipe = assert(io.popen "cat $(find lua/modm -name '*.lua') csrc/driver/*.c")
    for kind in pipe:read "*a":gmatch '"(%u%a+Error)"' do
      assert(page[kind] or labels[kind], kind .. " has no line in docs/errors.md")
    end
    pipe:close()
  end)

  it("of the server has its code, the code's name and its labels", function()
    local _, err = returned(kinds.ServerError[2])
    assert.same({ 2, "BadValue", {} }, { err.code, err.code_name, err.labels })
    _, err = returned(kinds.WriteConcernError[2])
    assert.equal("number", type(err.code))
  end)

  it("of a model is one of those that it extends, and of no other", function()
    local Child = Model:extend("kinds.Child", {})
    local _, err = returned(function() return Child.objects:get { n = 99 } end)
    assert.is_true(err:is(Child.DoesNotExist))
    assert.is_true(err:is(Model.DoesNotExist))
    assert.is_false(err:is(Lost.DoesNotExist))
    assert.is_false(err:is(Child.MultipleObjectsReturned))
    _, err = returned(function() return Model.objects:get { n = 99 } end)
    assert.is_false(err:is(Child.DoesNotExist))
    assert.equal("kinds.Model.DoesNotExist", tostring(Model.DoesNotExist))
  end)

  it("joins to texts on both sides", function()
    local message, err = returned(kinds.ValidationError[2])
    assert.equal("> " .. message .. " <", "> " .. err .. " <")
  end)
end)
