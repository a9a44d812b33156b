-- Changing one document and getting it back, and finding a document or making it.
local help = require "spec.query.help"
local modm = require "modm"
local server = require "spec.support.server"

local f = modm.fields

help.connect "find_one"

local Meta = { connection_alias = "find_one" }

local loaded = {}

local Job = modm.MongoModel:extend("find_one.Job", {
  name = f.CharField { required = true, mongo_name = "n" },
  state = f.CharField { default = "new", choices = { "new", "busy", "done" } },
  rank = f.IntegerField {},
  notes = f.ListField { f.CharField {} },
  Meta = { connection_alias = "find_one", indexes = { { "name", unique = true } } },
})
Job:after("load", function(job) loaded[#loaded + 1] = job end)
local Batch = Job:extend("find_one.Batch", { size = f.IntegerField {} })
local Owner = modm.MongoModel:extend("find_one.Owner", { name = f.CharField {}, Meta = Meta })
local Thing = modm.MongoModel:extend("find_one.Thing", {
  owner = f.ReferenceField { Owner, on_delete = modm.CASCADE }, Meta = Meta,
})
local Soft = modm.MongoModel:extend("find_one.Soft", {
  name = f.CharField {},
  Meta = { connection_alias = "find_one", soft_delete = true, timestamps = true },
})
local Counted = modm.MongoModel:extend("find_one.Counted", {
  name = f.CharField {}, Meta = { connection_alias = "find_one", version = true },
})

before_each(function()
  for _, model in ipairs { Job, Owner, Thing, Counted } do assert(model.objects:all():delete()) end
  assert(Soft.objects:with_deleted():all():delete { hard = true })
  for i, name in ipairs { "a", "b", "c" } do assert(Job { name = name, rank = i }:save()) end
end)

describe("find_one_and_update", function()
  it("changes the first in order, and gives it as it is then", function()
    loaded = {}
    local command = help.one(function()
      local job = assert(Job.objects:filter { state = "new" }:order_by("-rank")
        :find_one_and_update { set = { state = "busy" } })
      assert.same({ "c", "busy" }, { job.name, job.state })
      assert.same({ job }, loaded)
      assert.equal(Job, require "modm.core".model_of(job))
      assert.equal(0, #help.sent(function() assert(job:save()) end))
    end)
    assert.equal("find_one.job", "find_one." .. command.findAndModify)
    assert.equal(2, Job.objects:filter { state = "new" }:count())
  end)

  it("gives it as it was before, when asked", function()
    local job = assert(Job.objects:filter { name = "a" }:find_one_and_update(
      { inc = { rank = 5 } }, { returns = "before" }))
    assert.equal(1, job.rank)
    assert.equal(6, Job.objects:get { name = "a" }.rank)
  end)

  it("is DoesNotExist when there is none", function()
    local job, _, err = Job.objects:filter { name = "x" }:find_one_and_update { inc = { rank = 5 } }
    assert.is_nil(job)
    assert.is_true(err:is(Job.DoesNotExist))
    assert.equal("DoesNotExist", (select(3, Job.objects:slice(2, 1):find_one_and_update {
      inc = { rank = 1 } })).kind)
  end)

  it("makes one when asked, of the model's class", function()
    local batch = assert(Batch.objects:filter { name = "new" }:find_one_and_update(
      { inc = { size = 2 }, set_on_insert = { state = "done" } }, { upsert = true }))
    assert.same({ "new", 2, "done" }, { batch.name, batch.size, batch.state })
    assert.equal(Batch, require "modm.core".model_of(assert(Job.objects:get { name = "new" })))
  end)

  it("honours projections, values, class and array filters", function()
    assert(Batch { name = "batch", size = 1, notes = { "x", "y" } }:save())
    local found = assert(Job.objects:filter { name = "batch" }:only("rank"):find_one_and_update(
      { set = { ["notes.$[n]"] = "z" } }, { array_filters = { n = "y" } }))
    assert.equal(Batch, require "modm.core".model_of(found))
    assert.is_false((pcall(function() return found.notes end)))
    local row = assert(Job.objects:filter { name = "batch" }:values():find_one_and_update {
      inc = { rank = 1 } })
    assert.same({ "x", "z" }, row.notes)
    assert.is_nil((Batch.objects:filter { name = "a" }:find_one_and_update { inc = { rank = 1 } }))
  end)

  it("returns what is refused, and raises for misuse", function()
    local job, _, err = Job.objects:find_one_and_update { set = { state = "none" } }
    assert.is_nil(job)
    assert.equal("ValidationError", err.kind)
    job, _, err = Job.objects:filter { name = "b" }:find_one_and_update { set = { name = "a" } }
    assert.is_nil(job)
    assert.equal("DuplicateKeyError", err.kind)
    assert.equal("name", err.field)
    for _, fn in ipairs {
      function() Job.objects:find_one_and_update() end,
      function() Job.objects:find_one_and_update { set = { nothing = 1 } } end,
      function() Job.objects:find_one_and_update({ set = { rank = 1 } }, { returns = "new" }) end,
      function()
        Job.objects:find_one_and_update({ set = { rank = 1 } },
          { returns = "before", upsert = true })
      end,
      function() Job.objects:skip(1):find_one_and_update { set = { rank = 1 } } end,
    } do
      local message, here = help.raised(fn)
      assert.is_true(here, message)
    end
  end)
end)

describe("find_one_and_replace", function()
  it("puts a whole document in the place of one, which keeps its key", function()
    local key = Job.objects:get { name = "a" }.pk
    local given = Job { name = "z", notes = { "n" } }
    local job = assert(Job.objects:filter { name = "a" }:find_one_and_replace(given))
    assert.equal(key, job.pk)
    assert.same({ "z", "new", nil }, { job.name, job.state, job.rank })
    assert.is_nil(given.pk)
    local before = assert(Job.objects:filter { name = "z" }:find_one_and_replace(Job { name = "y" },
      { returns = "before" }))
    assert.equal("z", before.name)
    assert.is_nil((Job.objects:filter { name = "q" }:find_one_and_replace(given)))
    assert(Job.objects:filter { name = "q" }:find_one_and_replace(Job { name = "q" },
      { upsert = true }))
    assert.equal(4, Job.objects:count())
  end)

  it("validates, sets times, and refuses what it cannot keep", function()
    local job, _, err = Job.objects:filter { name = "a" }:find_one_and_replace(Job {})
    assert.is_nil(job)
    assert.equal("ValidationError", err.kind)
    assert(Soft { name = "s" }:save())
    local soft = assert(Soft.objects:find_one_and_replace(Soft { name = "t" }))
    assert.truthy(soft.updated_at)
    assert.is_false((pcall(Counted.objects.find_one_and_replace, Counted.objects, Counted {})))
    assert.is_false((pcall(Job.objects.find_one_and_replace, Job.objects, { name = "x" })))
    assert.is_false((pcall(Batch.objects.find_one_and_replace, Batch.objects, Job {})))
  end)
end)

describe("find_one_and_delete", function()
  it("deletes the first in order, and gives it", function()
    local job = assert(Job.objects:order_by("rank"):find_one_and_delete())
    assert.equal("a", job.name)
    assert.equal(2, Job.objects:count())
    assert.is_true((select(3, Job.objects:filter { name = "a" }:find_one_and_delete()):is(
      Job.DoesNotExist)))
    assert.is_nil((Batch.objects:find_one_and_delete()))
  end)

  it("marks where deleting marks", function()
    assert(Soft { name = "s" }:save())
    assert.equal("s", assert(Soft.objects:find_one_and_delete()).name)
    assert.equal(0, Soft.objects:count())
    assert.equal(1, Soft.objects:with_deleted():count())
    assert.is_nil((Soft.objects:find_one_and_delete()))
    assert(Soft.objects:with_deleted():find_one_and_delete { hard = true })
    assert.equal(0, Soft.objects:with_deleted():count())
  end)

  it("raises where delete rules hold", function()
    local owner = assert(Owner { name = "o" }:save())
    assert(Thing { owner = owner }:save())
    local message, here = help.raised(function() Owner.objects:find_one_and_delete() end)
    assert.is_true(here, message)
    assert.matches("find_one.Owner: delete rules hold for it", message)
    assert.equal(1, Owner.objects:count())
  end)
end)

describe("get_or_create", function()
  it("finds, or makes of the conditions and the defaults", function()
    local job, created = Job.objects:get_or_create({ name = "a" }, { rank = 99 })
    assert.same({ false, 1 }, { created, job.rank })
    job, created = Job.objects:get_or_create({ name = "new", rank = modm.gt(5), ["notes.0"] = "n" },
      { rank = 99 })
    assert.same({ true, 99, "new" }, { created, job.rank, job.state })
    assert.equal(4, Job.objects:count())
    job, created = Job.objects:get_or_create { n = "by stored name" }
    assert.same({ true, "by stored name" }, { created, job.name })
  end)

  it("returns what goes wrong", function()
    local _, _, err = Job.objects:get_or_create { state = "new" }
    assert.equal("MultipleObjectsReturned", err.kind)
    _, _, err = Job.objects:get_or_create { rank = 77 }
    assert.equal("ValidationError", err.kind)
    _, _, err = Job.objects:get_or_create({ rank = 77 }, { name = "a" })
    assert.equal("DuplicateKeyError", err.kind)
    _, _, err = Job.objects:get_or_create { rank = "x" }
    assert.equal("ValidationError", err.kind)
    for _, fn in ipairs {
      function() Job.objects:get_or_create() end,
      function() Job.objects:get_or_create {} end,
      function() Job.objects:get_or_create({ name = "a" }, 5) end,
      function() Job.objects:get_or_create { nothing = 1 } end,
      function() Job.objects:get_or_create({ name = "v" }, { nothing = 1 }) end,
      function() Job.objects:update_or_create { name = "v" } end,
    } do
      local message, here = help.raised(fn)
      assert.is_true(here, message)
    end
  end)
end)

describe("update_or_create", function()
  it("changes what is there with one command, or makes it of all", function()
    local job, created
    assert.equal("findAndModify", help.sent(function()
      job, created = Job.objects:update_or_create({ name = "a" }, { rank = 7 }, { state = "done" })
    end)[1].name)
    assert.same({ false, 7, "new" }, { created, job.rank, job.state })
    job, created = Job.objects:update_or_create({ name = "z" }, { rank = 7 }, { state = "done" })
    assert.same({ true, 7, "done" }, { created, job.rank, job.state })
  end)
end)

describe("a race on a unique index", function()
  local RACERS, ROUNDS = 8, 20

  -- The interpreter that runs the specs.
  local function interpreter()
    local i = 0
    while arg[i - 1] do i = i - 1 end
    return arg[i]
  end

  for _, method in ipairs { "get_or_create", "update_or_create" } do
    it("makes each document once by " .. method .. ", and all get it", function()
      local uri, pipes, made = server.fresh("race"), {}, 0
      local begin = os.time() + 2
      for i = 1, RACERS do
        pipes[i] = assert(io.popen(("%s spec/query/racer.lua '%s' %s %d %d 2>&1"):format(
          interpreter(), uri, method, ROUNDS, begin)))
      end
      for _, pipe in ipairs(pipes) do
        local text = pipe:read "*a"
        pipe:close()
        made = made + assert(tonumber(text:match "^made (%d+)\n$"), text)
      end
      assert.equal(ROUNDS, made)
    end)
  end
end)
