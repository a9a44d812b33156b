-- How requests wait in nginx: several finds of one at once, phases that cannot wait, and the socket
-- by which a worker hears of what has ended.
local help = require "spec.relation.help"
local modm = require "modm"
local nginx = require "spec.support.nginx"
local process = require "spec.support.process"
local server = require "spec.support.server"

describe("waiting in nginx", function()
  local own, conn, folder, Note

  setup(function()
    local uri = server.fresh "waiting"
    folder = process.folder "notifier"
    conn = assert(modm.connect(uri, { alias = "waiting" }))
    Note = modm.MongoModel:extend("Note", {
      n = modm.fields.IntegerField { primary_key = true },
      text = modm.fields.CharField {},
      Meta = { connection_alias = "waiting" },
    })
    own = nginx.start {
      main = ("env TMPDIR=%s;"):format(folder),
      http = ([[
        init_worker_by_lua_block {
          modm, core = require "modm", require "modm.core"
          assert(modm.connect(%q))
          Note = modm.MongoModel:extend("Note", {
            n = modm.fields.IntegerField { primary_key = true },
            text = modm.fields.CharField {},
          })
          for i = 1, 10 do assert(Note { n = i, text = "note " .. i }:save()) end

          -- The modes of what the loop is to connect to; where the first time a guest was faster.
          modes = {}
          local listen = core.listen
          function core.listen()
            local path, failed = listen()
            local pipe = io.popen("stat -c %%a $(dirname " .. path .. ") " .. path)
            modes[#modes + 1] = pipe:read "*a"
            pipe:close()
            if #modes == 1 then
              guest = os.execute("luajit -e 'assert(require \"socket.unix\" ():connect(\""
                .. path .. "\"))'")
            end
            return path, failed
          end
        }
      ]]):format(uri),
      server = [[
        location /together { content_by_lua_block {
          local log, threads = {}, {}
          for i = 1, 5 do
            threads[i] = ngx.thread.spawn(function()
              log[#log + 1] = "begun"
              local text = assert(Note.objects:get { n = i }).text
              log[#log + 1] = "ended"
              return text
            end)
          end
          for i = 1, 5 do
            local ok, text = ngx.thread.wait(threads[i])
            assert(ok and text == "note " .. i)
          end
          ngx.say(table.concat(log, " "))
        } }
        location /logged {
          content_by_lua_block { ngx.say "said" }
          log_by_lua_block {
            logged = ngx.get_phase()
            assert(Note { n = 100, text = logged }:save())
          }
        }
        location /phases {
          rewrite_by_lua_block { ngx.ctx.rewrite = Note.objects:get { n = 1 }.text }
          access_by_lua_block { ngx.ctx.access = Note.objects:get { n = 2 }.text }
          header_filter_by_lua_block { ngx.header.Found = Note.objects:get { n = 3 }.text }
          content_by_lua_block {
            ngx.say(ngx.ctx.rewrite, ", ", ngx.ctx.access, ", ", Note.objects:get { n = 4 }.text)
          }
        }
        location /modes { content_by_lua_block {
          ngx.say(guest)
          ngx.print(table.concat(modes))
        } }
      ]],
    }
  end)

  teardown(function()
    help.failpoint(conn, "off")
    own:stop()
    modm.disconnect "waiting"
  end)

  it("has several finds of one request under way at once", function()
    help.failpoint(conn, "alwaysOn",
      { failCommands = { "find" }, blockConnection = true, blockTimeMS = 200 })
    assert.same({ 200, ("begun "):rep(5) .. ("ended "):rep(4) .. "ended\n" },
      { own:get "/together" })
    help.failpoint(conn, "off")
  end)

  it("blocks where a phase cannot wait, and waits where it can", function()
    assert.same({ 200, "said\n" }, { own:get "/logged" })
    assert.same({ 200, "note 1, note 2, note 4\n" }, { own:get "/phases" })
    assert.equal("log", Note.objects:get { n = 100 }.text)
  end)

  it("hears by a socket that none but the worker reaches, and that is gone once it did", function()
    assert.same({ 200, "note 1, note 2, note 4\n" }, { own:get "/phases" })
    -- the second time, since the first guest was another process, and was turned away
    assert.same({ 200, "0\n700\n600\n700\n600\n" }, { own:get "/modes" })
    local refusal = "%[error%][^\n]*the notifier's socket: Permission denied"
    local _, refused = own:log():gsub(refusal, "")
    assert.equal(1, refused)
    local pipe = io.popen("ls -A " .. folder)
    assert.equal("", pipe:read "*a")
    pipe:close()
  end)
end)
