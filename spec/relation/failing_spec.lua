-- Deletes that fail half way: what they leave, what they say, and how a second one ends them.
local core = require "modm.core"
local help = require "spec.relation.help"
local modm = require "modm"

local f = modm.fields
local Meta = { connection_alias = "failing" }
local conn = help.connect "failing"

local function model(name, definition)
  definition.Meta = definition.Meta or Meta
  return modm.MongoModel:extend("failing." .. name, definition)
end

local User = model("User", { name = f.CharField { primary_key = true } })
local Post = model("Post", { author = f.ReferenceField { User, on_delete = modm.CASCADE } })
local Like = model("Like", { post = f.ReferenceField { Post, on_delete = modm.CASCADE } })
local View = model("View", { like = f.ReferenceField { Like, on_delete = modm.NULLIFY } })
local Fan = model("Fan", { user = f.ReferenceField { User, on_delete = modm.NULLIFY } })
local Team = model("Team", {
  members = f.ListField { f.ReferenceField { User, on_delete = modm.PULL } } })
local all = { User, Post, Like, View, Fan, Team }

local Node = model("Node", {
  n = f.IntegerField { primary_key = true },
  up = f.ReferenceField { "failing.Node", on_delete = modm.CASCADE },
})

local function count(Model) return assert(Model.objects:count()) end

local function counts()
  local list = {}
  for i, Model in ipairs(all) do list[i] = count(Model) end
  return list
end

local function fill()
  for _, Model in ipairs(all) do assert(Model.objects:all():delete()) end
  local jon, sam = assert(User { name = "jon" }:save()), assert(User { name = "sam" }:save())
  for _, user in ipairs { jon, jon, sam } do
    local post = assert(Post { author = user }:save())
    assert(View { like = assert(Like { post = post }:save()) }:save())
    assert(Fan { user = user }:save())
    assert(Team { members = { jon, user, sam } }:save())
  end
  return jon
end

-- The names of references that point nowhere.
local function dangling()
  local found = {}
  for _, one in ipairs { { Post, "author", User }, { Like, "post", Post }, { View, "like", Like },
    { Fan, "user", User }, { Team, "members", User }, { Node, "up", Node } } do
    for _, doc in ipairs(assert(one[1].objects:all():list())) do
      local keys = doc:id_of(one[2])
      for _, key in ipairs(type(keys) == "table" and keys or { keys }) do
        if #one[3].objects:filter { pk = key }:list() == 0 then found[#found + 1] = one[2] end
      end
    end
  end
  return found
end

-- Runs fn with the server failing the given commands, but for the first `skip` of them.
local function with_failure(commands, skip, how, fn)
  local data = { failCommands = core.array(commands) }
  for key, value in pairs(how) do data[key] = value end
  help.failpoint(conn, { skip = skip }, data)
  local ok, a, b, c = pcall(fn)
  help.failpoint(conn, "off")
  if not ok then error(a, 0) end
  return a, b, c
end

local function total(done)
  local n = 0
  for _, value in pairs(done) do n = n + value end
  return n
end

-- Fails a delete at each of its commands in turn. `check(err, skip)` looks at each failure.
local function sweep(commands, how, prepare, delete, check)
  for skip = 0, 100 do
    local doc = prepare()
    local ok, message, err = with_failure(commands, skip, how, function() return delete(doc) end)
    if ok then return skip end
    assert.equal(message, tostring(err))
    assert.matches("^failing.%w+: delete failed", message)
    assert.same({}, dangling())
    check(err, skip)
    assert(delete(doc))
    assert.same({}, dangling())
  end
  error "a delete without end"
end

describe("a delete with rules", function()
  local seen = {}

  local function whole(err)
    local before, now = { 2, 3, 3, 3, 3, 3 }, counts()
    local gone = 0
    for i = 1, #before do gone = gone + before[i] - now[i] end
    assert.equal(gone, total(err.deleted))
    assert.equal(2 - count(User), err.deleted["failing.User"] or 0)
    seen[(err.rule or "none") .. " " .. (err.referrer or "")] = true
    if err.rule then
      assert.matches(" at " .. err.rule .. " of " .. err.referrer, err.message, 1, true)
    end
    for name, n in pairs(err.deleted) do
      assert.matches(("%d of %s deleted"):format(n, name), err.message, 1, true)
    end
    for name, n in pairs(err.updated) do
      assert.matches(("%d of %s changed"):format(n, name), err.message, 1, true)
    end
    if total(err.deleted) + total(err.updated) == 0 then
      assert.matches("(done before: nothing)", err.message, 1, true)
    end
  end

  local function ended(delete)
    local doc = fill()
    assert(delete(doc))
    assert.same({ 1, 1, 1, 3, 3, 3 }, counts())
    assert.same({}, dangling())
  end

  local function delete(doc) return doc:delete() end

  it("leaves no key that points nowhere, whichever write fails", function()
    local steps = sweep({ "delete", "update" }, { errorCode = 96 }, fill, delete, function(err)
      assert.equal("ServerError", err.kind)
      assert.equal(96, err.code)
      whole(err)
    end)
    assert.equal(6, steps) -- a change for each of three rules, and documents of three models
    for _, one in ipairs { "NULLIFY failing.Fan.user", "PULL failing.Team.members",
      "NULLIFY failing.View.like", "CASCADE failing.Like.post", "CASCADE failing.Post.author",
      "none " } do
      assert.is_true(seen[one], one)
    end
    ended(delete)
  end)

  it("leaves none when a read fails", function()
    local steps = sweep({ "find" }, { errorCode = 96 }, fill, delete, whole)
    assert.is_true(steps >= 3)
    ended(delete)
  end)

  it("leaves none when the connection breaks", function()
    sweep({ "delete", "update" }, { closeConnection = true }, fill, delete, function(err)
      assert.equal("ConnectionError", err.kind)
      whole(err)
    end)
    ended(delete)
  end)

  it("says so of a queryset, too, and counts what is gone", function()
    local function of_set() return User.objects:filter { name = "jon" }:delete() end
    sweep({ "delete" }, { errorCode = 96 }, fill, of_set, whole)
    ended(of_set)
  end)

  it("says what was done before, in numbers", function()
    local jon = fill()
    local _, message, err = with_failure({ "delete" }, 1, { errorCode = 96 }, function()
      return jon:delete()
    end)
    assert.same({ ["failing.Like"] = 2 }, err.deleted)
    assert.same({ ["failing.Fan"] = 2, ["failing.Team"] = 3, ["failing.View"] = 2 }, err.updated)
    assert.equal("CASCADE", err.rule)
    assert.equal("failing.Post.author", err.referrer)
    assert.equal("failing.User", err.model)
    assert.matches("^failing.User: delete failed at CASCADE of failing.Post.author: .+ %(done "
      .. "before: 2 of failing.Like deleted, 2 of failing.Fan changed, 3 of failing.Team changed, "
      .. "2 of failing.View changed%)$", message)
  end)

  it("undoes all when it is atomic", function()
    local function atomic(doc) return doc:delete { atomic = true } end
    local steps = sweep({ "delete", "update" }, { errorCode = 96 }, fill, atomic, function(err)
      assert.equal(96, err.code)
      assert.same({ {}, {} }, { err.deleted, err.updated })
      assert.same({ 2, 3, 3, 3, 3, 3 }, counts())
      assert.matches("(done before: nothing)", err.message, 1, true)
    end)
    assert.equal(6, steps)
    ended(atomic)
  end)

  it("leaves none in cycles and trees of one collection", function()
    local function grow()
      assert(Node.objects:all():delete())
      for i = 1, 7 do assert(Node { n = i, up = i > 1 and math.floor(i / 2) or nil }:save()) end
      local root = Node { n = 8, up = 9 }
      assert(Node { n = 9, up = 8 }:save())
      assert(Node { n = 10, up = 9 }:save())
      assert(root:save())
      return root
    end
    grow()
    assert.equal(2, Node.objects:filter { n = modm.one_of { 1, 8 } }:delete())
    assert.equal(0, count(Node))
    local root = grow()
    assert.equal(1, Node.objects:filter { n = 1 }:delete())
    assert.equal(3, count(Node))
    assert.is_true(root:delete())
    assert.equal(0, count(Node))
    local function tree()
      grow()
      assert(Node.objects:filter { n = 8 }:delete())
    end
    local steps = sweep({ "delete" }, { errorCode = 96 }, tree, function()
      return Node.objects:filter { n = 1 }:delete()
    end, function(err)
      assert.equal(7 - count(Node), total(err.deleted))
    end)
    assert.equal(3, steps) -- the leaves, their parents, the root
  end)
end)

describe("a change that the server refuses", function()
  it("fails the delete before anything is deleted", function()
    local Owner = model("Owner", { name = f.CharField { primary_key = true } })
    local Pet = model("Pet", {
      owner = f.ReferenceField { Owner, required = true, on_delete = modm.NULLIFY } })
    local Toy = model("Toy", { owner = f.ReferenceField { Owner, on_delete = modm.CASCADE } })
    local ann = assert(Owner { name = "Ann" }:save())
    assert(Pet { owner = ann }:save())
    assert(Toy { owner = ann }:save())
    assert(Pet:install_validator())
    local ok, message, err = ann:delete()
    assert.is_nil(ok)
    assert.equal(121, err.code)
    assert.equal("NULLIFY", err.rule)
    assert.equal("failing.Pet.owner", err.referrer)
    assert.same({ {}, {} }, { err.deleted, err.updated })
    assert.matches("done before: nothing", message)
    assert.same({ 1, 1, 1 }, { count(Owner), count(Pet), count(Toy) })
  end)
end)

describe("DENY", function()
  it("says by which rule, and that nothing was done", function()
    local Shop = model("Shop", { name = f.CharField { primary_key = true } })
    local Desk = model("Desk", { shop = f.ReferenceField { Shop, on_delete = modm.CASCADE } })
    local Bill = model("Bill", { desk = f.ReferenceField { Desk, on_delete = modm.DENY } })
    local shop = assert(Shop { name = "x" }:save())
    assert(Bill { desk = assert(Desk { shop = shop }:save()) }:save())
    local _, _, err = shop:delete()
    assert.equal("OperationError", err.kind)
    assert.same({ "DENY", "failing.Bill.desk", {}, {} },
      { err.rule, err.referrer, err.deleted, err.updated })
    local ok, message
    ok, message, err = with_failure({ "find" }, 1, { errorCode = 96 }, function()
      return shop:delete()
    end)
    assert.is_nil(ok)
    assert.equal(96, err.code)
    assert.matches("^failing.Shop: delete failed: .+ %(done before: nothing%)$", message)
    assert.same({ 1, 1, 1 }, { count(Shop), count(Desk), count(Bill) })
  end)
end)

describe("a rule of a model that is not connected", function()
  it("fails the delete, and the documents stay", function()
    local Base = model("Base", { name = f.CharField { primary_key = true } })
    model("Lost", { base = f.ReferenceField { Base, on_delete = modm.CASCADE },
      Meta = { connection_alias = "failing-nowhere" } })
    local base = assert(Base { name = "x" }:save())
    local ok, message, err = base:delete()
    assert.is_nil(ok)
    assert.equal("CASCADE", err.rule)
    assert.equal("failing.Lost.base", err.referrer)
    assert.matches("failing-nowhere", message, 1, true)
    assert.equal(1, count(Base))
  end)
end)
