-- A private nginx with Lua for specs: it runs a configuration on a free port of the loopback, and
-- answers requests that may be sent several at a time.
--
-- nginx is LuaJIT's, whichever Lua runs the spec: it takes the module from build/luajit, or the one
-- that counts coverage where LuaJIT's is counted.
local socket = require "socket"

local nginx = {}

local CONFIGURATION = [[
daemon off;
user root;
pid FOLDER/pid;
error_log FOLDER/error.log info;
load_module /usr/lib/nginx/modules/ndk_http_module.so;
load_module /usr/lib/nginx/modules/ngx_http_lua_module.so;
MAIN
events { worker_connections 512; }
http {
  access_log off;
  lua_http10_buffering off;
  client_body_temp_path FOLDER/body;
  proxy_temp_path FOLDER/proxy;
  fastcgi_temp_path FOLDER/fastcgi;
  uwsgi_temp_path FOLDER/uwsgi;
  scgi_temp_path FOLDER/scgi;
  lua_package_path "ROOT/lua/?.lua;ROOT/lua/?/init.lua;ROOT/?.lua;;";
  lua_package_cpath "ROOT/build/BUILD/?.so;;";
  HTTP
  server {
    listen 127.0.0.1:PORT;
    SERVER
  }
}
]]

---@class modm.NginxAnswer what was asked and is not yet answered
local Answer = {}
Answer.__index = Answer

--- Waits for the answer; nil and a reason where there is none.
---@return integer|nil status, string text the body
function Answer:receive()
  local all, why, partial = self.socket:receive("*a")
  self.socket:close()
  all = all or partial
  local status, body = all:match("^HTTP/1%.%d (%d+).-\r\n\r\n(.*)$")
  if not status then return nil, why or "closed" end
  return tonumber(status), body
end

--- Waits until the answer has begun; nginx sees the end of a connection only after it has seen the
--- request.
function Answer:begin() assert(self.socket:receive "*l") end

--- Goes away without waiting for the answer.
function Answer:abort() self.socket:close() end

---@class modm.Nginx
---@field port integer
---@field pid integer of the master
local Nginx = {}
Nginx.__index = Nginx

--- Sends a request and does not wait: receive or abort what it gives.
---@param path string
---@param body string|nil makes it a POST
---@return modm.NginxAnswer
function Nginx:send(path, body)
  local connection = assert(socket.connect("127.0.0.1", self.port))
  connection:settimeout(30)
  assert(connection:send(("%s %s HTTP/1.0\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s")
    :format(body and "POST" or "GET", path, #(body or ""), body or "")))
  return setmetatable({ socket = connection }, Answer)
end

--- Sends a request and waits for its answer.
---@param path string
---@param body string|nil makes it a POST
---@return integer|nil status, string text
function Nginx:get(path, body) return self:send(path, body):receive() end

--- What is in its log of errors.
---@return string
function Nginx:log()
  local file = assert(io.open(self.folder .. "/error.log"))
  local text = file:read "*a"
  file:close()
  return text
end

--- Sends its master a signal, such as "HUP" to have the configuration read again.
---@param name string
function Nginx:signal(name) assert(os.execute(("kill -%s %d"):format(name, self.pid))) end

--- Ends it and its workers, and takes its folder away.
function Nginx:stop()
  self:signal "TERM"
  self.pipe:close() -- waits for its end
  os.execute("rm -rf " .. self.folder)
end

local function output(command)
  local pipe = assert(io.popen(command))
  local line = pipe:read "*l"
  pipe:close()
  return line
end

local function free_port()
  local probe = assert(socket.bind("127.0.0.1", 0))
  local _, port = probe:getsockname()
  probe:close()
  return tonumber(port)
end

local function write(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

-- True once it takes connections; false when it ended, or took none within ten seconds.
local function is_up(own)
  for _ = 1, 200 do
    local connection = socket.connect("127.0.0.1", own.port)
    if connection then
      connection:close()
      return true
    end
    if output(("grep ^State.*Z /proc/%d/status"):format(own.pid)) then return false end
    socket.sleep(0.05)
  end
  return false
end

--- Starts nginx. It ends with this process at the latest.
---@param parts { main: string?, http: string?, server: string } what stands in these blocks of the
--- configuration
---@return modm.Nginx
function nginx.start(parts)
  local folder = output "mktemp -d"
  local own = setmetatable({ folder = folder, port = free_port() }, Nginx)
  local build = jit and os.getenv "MODM_COVER" and "cover-luajit" or "luajit"
  local values = { FOLDER = folder, ROOT = output "pwd", BUILD = build, PORT = own.port,
    MAIN = parts.main or "", HTTP = parts.http or "", SERVER = parts.server }
  write(folder .. "/nginx.conf", (CONFIGURATION:gsub("%u%u%u%u+", values)))
  -- The sanitizers' libraries are for the specs, not for nginx. Its master takes the workers along.
  own.pipe = assert(io.popen(("echo $$; exec env -u LD_PRELOAD -u LUA_PATH -u LUA_CPATH setpriv "
    .. "--pdeathsig TERM /usr/sbin/nginx -p %s -e error.log -c nginx.conf 2>&1"):format(folder)))
  own.pid = tonumber(own.pipe:read "*l")
  if not is_up(own) then
    local log = own:log()
    own:stop()
    error("nginx does not start:\n" .. log, 2)
  end
  return own
end

return nginx
