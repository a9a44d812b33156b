-- A wire on which nothing comes in one piece: seven bytes at a time, both ways.
local help = require "spec.faults.help"
local modm = require "modm"
local proxy = require "spec.support.proxy"
local server = require "spec.support.server"

for _, transport in ipairs(help.transports) do
  describe("seven bytes at a time (" .. transport .. ")", function()
    local wire, conn

    setup(function()
      wire = proxy.start(tonumber(server.uri():match ":(%d+)/"))
      wire:rule("*", "slice", { number = 7 })
      local _
      _, conn = help.model(wire:uri(server.database "slices"), { transport = transport })
    end)
    teardown(function() wire:stop() end)

    it("define, save, find, change, write in bulk, and delete", function()
      local Model = modm.MongoModel:extend("slices.Model", {
        n = modm.fields.IntegerField {}, text = modm.fields.CharField {},
        Meta = { connection_alias = conn.alias, final = true, indexes = { { "n" } } },
      })
      assert(Model:ensure_indexes())
      local document = assert(Model { n = 0, text = ("é"):rep(1000) }:save())
      document.n = -1
      assert(document:save())
      assert.equal(document.text, Model.objects:get { n = -1 }.text)
      local documents = {}
      for i = 1, 300 do documents[i] = Model { n = i, text = ("x"):rep(i) } end
      assert.equal(300, #assert(Model.objects:bulk_create(documents)))
      local sum = 0
      for one in Model.objects:filter { n = modm.gt(0) }:batch_size(50):iter() do
        sum = sum + #one.text
      end
      assert.equal(300 * 301 / 2, sum)
      assert.equal(300, assert(Model.objects:filter { n = modm.gt(0) }
        :update { ["$inc"] = { n = 1000 } }))
      local result = assert(Model.objects:bulk():insert(Model { n = 1 }):delete(document):run())
      assert.same({ 1, 1 }, { result.inserted, result.deleted })
      assert.equal(301, assert(Model.objects:all():delete()))
    end)

    it("files in GridFS", function()
      local content = {}
      for i = 1, 30000 do content[i] = ("%07d"):format(i) end
      content = table.concat(content)
      local storage = modm.GridFSStorage { connection_alias = conn.alias }
      local out = assert(storage:create "sliced")
      assert(out:write(content))
      local id = assert(out:close())
      local file = assert(storage:open(id))
      assert.equal(content, file:read "a")
      file:close()
      assert(storage:delete(id))
    end)
  end)
end
