-- What a method's session or transaction takes in besides its own command: hooks, validators,
-- cascades, references and files.
local help = require "spec.query.help"
local modm = require "modm"
local fields = modm.fields

local ALIAS = "inside"
local Meta = { connection_alias = ALIAS }

local Log = modm.MongoModel:extend("InLog", { text = fields.CharField {}, Meta = Meta })

local function note(text) return Log { text = text }:save() end

local Team = modm.MongoModel:extend("InTeam", { name = fields.CharField {}, Meta = Meta })
local Player = modm.MongoModel:extend("InPlayer", {
  name = fields.CharField { validators = { function(name)
    return Log.objects:where("text", name):count() == 0, "the name is in the log"
  end } },
  team = fields.ReferenceField { Team, on_delete = modm.CASCADE },
  Meta = Meta,
})
for _, event in ipairs { "validate", "save", "insert", "delete" } do
  for _, when in ipairs { "before", "after" } do
    local text = when .. " " .. event
    Player[when](Player, event, function() return note(text) end)
  end
end
Player:after("load", function() return Log.objects:all():count() end)

describe("in the session of a method", function()
  setup(function() help.connect(ALIAS) end)
  teardown(function() modm.disconnect(ALIAS) end)

  local session

  before_each(function()
    for _, model in ipairs { Log, Team, Player } do assert(model.objects:all():delete()) end
    session = assert(modm.session(ALIAS))
  end)

  after_each(function() session:close() end)

  -- Every command that fn sends is in the session: they have one id, which is not each one's own.
  local function check_inside(fn)
    local id
    local commands = help.sent(function()
      session:run(function() Log.objects:all():count() end)
      assert(fn())
    end)
    assert(#commands > 2, "nothing was sent")
    for _, event in ipairs(commands) do
      local own = tostring(event.command.lsid.id)
      id = id or own
      assert.are.same({ event.name, id }, { event.name, own })
    end
  end

  it("save runs hooks, validators and the cascade", function()
    check_inside(function()
      return Player { name = "Ann", team = Team { name = "A" } }:save { session = session,
        cascade = true }
    end)
    assert.are.equal(1, Team.objects:all():count())
    assert.are.equal(6, Log.objects:all():count())
  end)

  it("delete runs hooks, rules, and what it looks up", function()
    local ann = assert(Player { name = "Ann" }:save())
    check_inside(function() return ann:delete { session = session } end)
    local team = assert(Team { name = "A" }:save())
    assert(Player { name = "Bob", team = team }:save())
    check_inside(function() return team:delete { session = session, atomic = true } end)
    assert.are.equal(0, Player.objects:all():count())
  end)

  it("refresh_from_db and reading run the hooks after load", function()
    local ann = assert(Player { name = "Ann" }:save())
    check_inside(function() return ann:refresh_from_db(nil, { session = session }) end)
    check_inside(function() return Player.objects:session(session):all():list() end)
    check_inside(function() return Player.objects:session(session):all():first() end)
    check_inside(function()
      for _ in Player.objects:session(session):all():iter() do end -- luacheck: ignore
      return true
    end)
  end)

  it("create and bulk_create run hooks and validators", function()
    check_inside(function() return Player.objects:session(session):create { name = "Ann" } end)
    check_inside(function()
      return Player.objects:bulk_create({ Player { name = "Bob" } }, { session = session })
    end)
  end)

  it("a hook that fails after an atomic delete takes all of it back", function()
    local Guarded = modm.MongoModel:extend("InGuarded", { n = fields.IntegerField {}, Meta = Meta })
    Guarded:before("delete", function() return note "before" end)
    Guarded:after("delete", function() return nil, "not this one" end)
    local doc = assert(Guarded { n = 1 }:save())
    local none, message, err = doc:delete { atomic = true }
    assert.is_nil(none)
    assert.are.same({ "not this one", "HookError" }, { message, err.kind })
    assert.are.same({ 1, 0 }, { Guarded.objects:all():count(), Log.objects:all():count() })
    assert.is_nil((doc:delete())) -- the hook came too late
    assert.are.same({ 0, 1 }, { Guarded.objects:all():count(), Log.objects:all():count() })
  end)

  it("an atomic delete takes a mark back as well", function()
    local Soft = modm.MongoModel:extend("InSoft", { n = fields.IntegerField {},
      Meta = { connection_alias = ALIAS, soft_delete = true } })
    Soft:after("delete", function(doc)
      if doc.n == 1 then return nil, "not this one" end
    end)
    local doc = assert(Soft { n = 1 }:save())
    local before = doc.deleted_at
    assert.is_nil((doc:delete { atomic = true }))
    assert.are.same({ 1, before }, { Soft.objects:all():count(), doc.deleted_at })
    doc.n = 2
    assert(doc:save())
    assert.is_true(doc:delete { atomic = true })
    assert.are.equal(0, Soft.objects:all():count())
  end)

  it("a session of another connection is refused", function()
    help.connect "inside-other"
    local other = assert(modm.session "inside-other")
    local ann = assert(Player { name = "Ann" }:save())
    local set = Player.objects:all()
    for name, call in pairs {
      save = function() ann:save { session = other } end,
      delete = function() ann:delete { session = other } end,
      atomic = function() ann:delete { session = other, atomic = true } end,
      refresh = function() ann:refresh_from_db(nil, { session = other }) end,
      list = function() set:session(other):list() end,
      update = function() set:update({ ["$set"] = { name = "x" } }, { session = other }) end,
      bulk = function() set:bulk_create({ Player {} }, { session = other }) end,
    } do
      local raised, here = help.raised(call)
      assert.are.same({ name, true }, { name,
        raised:find("InPlayer: the session is of the connection 'inside-other'", 1, true) ~= nil })
      assert.are.same({ name, true }, { name, here })
    end
    modm.disconnect "inside-other"
  end)
end)
