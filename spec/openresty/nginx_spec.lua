-- modm in a real nginx: a request is answered from the server.
local nginx = require "spec.support.nginx"
local server = require "spec.support.server"

describe("in nginx", function()
  local own

  setup(function()
    own = nginx.start {
      http = ([[
        init_worker_by_lua_block {
          modm = require "modm"
          assert(modm.connect(%q))
          Note = modm.MongoModel:extend("Note", {
            text = modm.fields.CharField { required = true },
          })
        }
      ]]):format(server.fresh "nginx"),
      server = [[
        location /note { content_by_lua_block {
          ngx.req.read_body()
          local note, message = Note { text = ngx.req.get_body_data() }:save()
          ngx.say(note and Note.objects:get { pk = note.pk }.text or message)
        } }
      ]],
    }
  end)

  teardown(function() own:stop() end)

  it("saves and reads", function()
    assert.same({ 200, "hello\n" }, { own:get("/note", "hello") })
  end)

  it("says what is wrong", function()
    assert.same({ 200, "Note.text: field is required.\n" }, { own:get("/note") })
  end)

  it("has nothing to tell in the log when nothing is asked", function()
    require "socket".sleep(2.5)
    assert.is_nil(own:log():find("[error]", 1, true))
  end)

  it("answers several requests at a time", function()
    local answers = {}
    for i = 1, 5 do answers[i] = own:send("/note", "note " .. i) end
    for i, answer in ipairs(answers) do
      assert.same({ 200, ("note %d\n"):format(i) }, { answer:receive() })
    end
  end)
end)
