-- Workers of nginx that come and go: a pool that was used before they began, a reload under load,
-- and one that is to end while requests wait for the server.
local help = require "spec.relation.help"
local modm = require "modm"
local nginx = require "spec.support.nginx"
local process = require "spec.support.process"
local server = require "spec.support.server"

describe("workers of nginx", function()
  local own, conn

  setup(function()
    local uri = server.fresh "worker"
    conn = assert(modm.connect(uri, { alias = "worker" }))
    own = nginx.start {
      main = "worker_processes 2;",
      http = ([[
        init_by_lua_block {
          modm = require "modm"
          assert(modm.connect(%q))
          Note = modm.MongoModel:extend("Note", { text = modm.fields.CharField {} })
          assert(Note { text = "before the fork" }:save())
          used_by_master = modm.stats().done
          generation = ngx.now() -- each reload reads this anew
        }
        init_worker_by_lua_block { before = assert(Note.objects:all():count()) }
      ]]):format(uri),
      server = [[
        location /look { content_by_lua_block {
          local n = Note.objects:filter { text = "before the fork" }:count()
          ngx.say(n >= 1 and before >= 1 and used_by_master >= 1, " ", modm.stats().transport)
        } }
        location /who { content_by_lua_block {
          assert(Note { text = ngx.var.arg_text }:save())
          assert(Note.objects:filter { text = ngx.var.arg_text }:first())
          ngx.print(generation)
        } }
        location /slow { content_by_lua_block {
          ngx.say(ngx.worker.pid())
          ngx.flush(true)
          ngx.say(Note.objects:first().text)
        } }
      ]],
    }
  end)

  teardown(function()
    help.failpoint(conn, "off")
    own:stop()
    modm.disconnect "worker"
  end)

  local function no_errors()
    for line in own:log():gmatch "[^\n]+" do
      assert.is_nil(line:find("[error]", 1, true) or line:find("[alert]", 1, true), line)
    end
  end

  local function is_gone(pid)
    local file = io.open(("/proc/%s/stat"):format(pid))
    local stat = file and file:read "*a"
    if file then file:close() end
    return not stat or stat:find ") Z" ~= nil
  end

  it("have pools of their own, whatever was done before the fork", function()
    for _ = 1, 8 do assert.same({ 200, "true pool\n" }, { own:get "/look" }) end
    no_errors()
  end)

  it("are replaced under load, and each request is answered", function()
    local asked = 0
    local function answer_of(request)
      local status, generation = request:receive()
      assert.equal(200, status, generation)
      return generation
    end
    for reload = 1, 4 do
      local before = answer_of(own:send("/who?text=before" .. reload))
      own:signal "HUP"
      local under_way = {}
      for i = 1, 60 do
        asked = asked + 1
        under_way[#under_way + 1] = own:send("/who?text=load" .. asked)
        if i > 8 then answer_of(table.remove(under_way, 1)) end
      end
      for _, request in ipairs(under_way) do answer_of(request) end
      process.wait_for("the reload", 30, function()
        return answer_of(own:send("/who?text=reload" .. reload)) ~= before
      end)
    end
    no_errors()
  end)

  it("answer what was begun before they end, and end", function()
    help.failpoint(conn, "alwaysOn",
      { failCommands = { "find" }, blockConnection = true, blockTimeMS = 500 })
    local requests, pids = {}, {}
    for i = 1, 10 do requests[i] = own:send "/slow" end
    for _, request in ipairs(requests) do request:begin() end
    own:signal "HUP"
    for _, request in ipairs(requests) do
      local text = assert(request.socket:receive "*a")
      local pid, found = text:match "\r\n\r\n(%d+)\n(.*)$"
      assert.equal("before the fork\n", found)
      pids[pid] = true
    end
    help.failpoint(conn, "off")
    for pid in pairs(pids) do
      process.wait_for("the worker's end", 30, function() return is_gone(pid) end)
    end
    no_errors()
  end)

  it("end when they alone are told to, and others take their place", function()
    help.failpoint(conn, "alwaysOn",
      { failCommands = { "find" }, blockConnection = true, blockTimeMS = 500 })
    local request = own:send "/slow"
    request:begin()
    local pid
    repeat
      local line = assert(request.socket:receive "*l")
      pid = line:match "^%d+$"
    until pid
    assert(os.execute("kill -QUIT " .. pid))
    assert.matches("before the fork\n$", (assert(request.socket:receive "*a")))
    request.socket:close()
    help.failpoint(conn, "off")
    process.wait_for("the worker's end", 30, function() return is_gone(pid) end)
    for _ = 1, 8 do assert.same({ 200, "true pool\n" }, { own:get "/look" }) end
    no_errors()
  end)
end)
