-- What a killed request or light thread held is seen by none that comes after it, though nginx uses
-- their coroutines again.
local modm = require "modm"
local nginx = require "spec.support.nginx"
local server = require "spec.support.server"
local socket = require "socket"

describe("scopes in nginx", function()
  local own, Note

  setup(function()
    local uri = server.fresh "killed"
    assert(modm.connect(uri, { alias = "killed" }))
    Note = modm.MongoModel:extend("killed.Note", {
      text = modm.fields.CharField {},
      Meta = { connection_alias = "killed" },
    })
    own = nginx.start {
      http = ([[
        lua_check_client_abort on;
        init_worker_by_lua_block {
          modm = require "modm"
          assert(modm.connect(%q))
          Note = modm.MongoModel:extend("killed.Note", {
            text = modm.fields.CharField {},
            tags = modm.fields.ListField { modm.fields.CharField {} },
          })
          modm.switch_collection(Note, "elsewhere", function()
            for i = 1, 3 do assert(Note { text = "elsewhere" }:save()) end
          end)

          -- What is done in a scope and does not end by itself; the client is told that it began.
          holding, aborted = {}, 0
          local function wait()
            if ngx.var.uri == "/aborted" then
              ngx.say "begun"
              ngx.flush(true)
            end
            ngx.sleep(30)
          end
          function holding.collection()
            modm.switch_collection(Note, "elsewhere", wait)
          end
          function holding.twice()
            modm.switch_collection(Note, "elsewhere", holding.collection)
          end
          function holding.transaction()
            modm.transaction(function()
              assert(Note { text = "never" }:save())
              wait()
            end)
          end
          -- A transaction notes what its documents were, of one that all requests share too.
          shared = Note { tags = { "shared" } }
          function holding.document()
            modm.transaction(function()
              shared.tags[2] = "changed"
              held[shared.tags] = true
              wait()
            end)
          end
          held = setmetatable({}, { __mode = "k" })
          function holding.session()
            local session = modm.session()
            held[session] = true
            session:run(wait)
          end

          -- Where the coroutine is: the documents that it sees; and one is saved.
          function look()
            assert(Note { text = "seen" }:save())
            local n = assert(Note.objects:filter { text = "elsewhere" }:count())
            return n == 0 and "nothing held" or "elsewhere"
          end
          function in_thread(f) return select(2, ngx.thread.wait(ngx.thread.spawn(f))) end
        }
      ]]):format(uri),
      server = [[
        location /aborted { content_by_lua_block {
          ngx.on_abort(function()
            _G.aborted = aborted + 1
            ngx.exit(499)
          end)
          holding[ngx.var.arg_how]()
        } }
        location /left { content_by_lua_block {
          ngx.thread.spawn(holding[ngx.var.arg_how])
          ngx.sleep(0.02)
          ngx.exit(200)
        } }
        location /thread { content_by_lua_block {
          for _ = 1, 5 do
            local thread = ngx.thread.spawn(holding[ngx.var.arg_how])
            ngx.sleep(0.01)
            ngx.thread.kill(thread)
            local found = in_thread(look)
            if found ~= "nothing held" then return ngx.say(found) end
          end
          ngx.say(look())
        } }
        location /count { content_by_lua_block { ngx.say(aborted) } }
        location /look { content_by_lua_block {
          local first, second = in_thread(look), look()
          ngx.say(first == second and first or "elsewhere")
        } }
        location /scope { content_by_lua_block {
          local inside = modm.switch_collection(Note, "elsewhere", look)
          ngx.say(inside, ", then ", look())
        } }
        location /alive { content_by_lua_block {
          shared.tags = { "anew" }
          collectgarbage()
          collectgarbage()
          local n = 0
          for _ in pairs(held) do n = n + 1 end
          ngx.say(n)
        } }
      ]],
    }
  end)

  teardown(function()
    own:stop()
    modm.disconnect "killed"
  end)

  before_each(function() assert(Note.objects:all():delete()) end)

  -- Ten requests that are all killed while they hold something.
  local function abort(how)
    local answers, _, before = {}, own:get "/count"
    for i = 1, 10 do answers[i] = own:send("/aborted?how=" .. how) end
    for _, answer in ipairs(answers) do answer:begin() end
    for _, answer in ipairs(answers) do answer:abort() end
    for _ = 1, 200 do
      local _, now = own:get "/count"
      if now - before == 10 then return end
      socket.sleep(0.05)
    end
    error "nginx did not see all of them go"
  end

  local function nothing_is_held()
    for _ = 1, 20 do assert.same({ 200, "nothing held\n" }, { own:get "/look" }) end
    assert.equal(40, Note.objects:filter { text = "seen" }:count())
  end

  for _, how in ipairs { "collection", "twice", "transaction" } do
    it("are not inherited of a request whose client went away: " .. how, function()
      abort(how)
      nothing_is_held()
    end)

    it("are not inherited of a light thread whose request ended: " .. how, function()
      local answers = {}
      for i = 1, 10 do answers[i] = own:send("/left?how=" .. how) end
      for _, answer in ipairs(answers) do answer:receive() end
      nothing_is_held()
    end)

    it("are not inherited of a light thread that was killed: " .. how, function()
      assert.same({ 200, "nothing held\n" }, { own:get("/thread?how=" .. how) })
      assert.equal(6, Note.objects:filter { text = "seen" }:count())
    end)
  end

  it("begin anew in a coroutine that was killed in one", function()
    abort "collection"
    for _ = 1, 20 do
      assert.same({ 200, "elsewhere, then nothing held\n" }, { own:get "/scope" })
    end
  end)

  for _, how in ipairs { "session", "document" } do
    it("keep nothing of a killed request alive: " .. how, function()
      abort(how)
      assert.same({ 200, "0\n" }, { own:get "/alive" })
    end)
  end

  it("leave nothing of a killed transaction", function()
    abort "transaction"
    assert.equal(0, Note.objects:filter { text = "never" }:count())
  end)
end)
