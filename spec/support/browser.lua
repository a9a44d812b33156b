-- A headless Chromium for specs, driven as a person would: by labels and the words on buttons. It
-- speaks W3C's WebDriver with chromedriver.
local http = require "socket.http"
local json = require "dkjson"
local ltn12 = require "ltn12"
local socket = require "socket"

local browser = {}

local ELEMENT = "element-6066-11e4-a52e-4f735466cecf" -- the protocol's name for it

local OPTIONS = {
  "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
  "--window-size=860,800", "--no-first-run", "--disable-sync", "--disable-background-networking",
  "--disable-component-update", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
}

---@class modm.Browser
---@field site string where paths begin
local Browser = {}
Browser.__index = Browser

-- One command of the protocol; raises what went wrong.
local function command(self, method, path, arguments)
  local chunks = {}
  local body = method == "POST" and (arguments and json.encode(arguments) or "{}") or ""
  local _, status = http.request {
    url = self.driver .. path, method = method, sink = ltn12.sink.table(chunks),
    source = ltn12.source.string(body),
    headers = { ["content-type"] = "application/json", ["content-length"] = #body },
  }
  local answer = json.decode(table.concat(chunks), 1, nil)
  if status ~= 200 then error(answer and answer.value.message or tostring(status), 0) end
  return answer.value
end

function Browser:command(method, path, arguments)
  return command(self, method, self.session .. path, arguments)
end

--- The elements that an XPath leads to.
function Browser:all(xpath)
  local found = {}
  for i, element in ipairs(self:command("POST", "/elements", { using = "xpath", value = xpath })) do
    found[i] = "/element/" .. element[ELEMENT]
  end
  return found
end

--- The first of them; raises where there is none.
function Browser:find(xpath)
  return self:all(xpath)[1] or error(("no %s in:\n%s"):format(xpath, self:text()), 0)
end

--- What a reader sees of an element, or of the whole page.
function Browser:text(xpath)
  local element = xpath and self:find(xpath) or self:all("//body")[1]
  return self:command("GET", element .. "/text")
end

function Browser:visit(path) self:command("POST", "/url", { url = self.site .. path }) end

--- The path of the page that is shown.
function Browser:path() return (self:command("GET", "/url"):gsub("^%a+://[^/]+", "")) end

local function label(text)
  return ("//label[starts-with(normalize-space(), '%s')]"):format(text)
end

-- Waits until a page that an element was on has gone.
local function wait_until_gone(self, element)
  for _ = 1, 200 do
    if not pcall(self.command, self, "GET", element .. "/name") then return end
    socket.sleep(0.02)
  end
  error("the page stays:\n" .. self:text(), 0)
end

--- Clicks the button, or else the link, that says so, and waits for the page that it leads to.
function Browser:click(words)
  local place = ("[normalize-space()='%s' or @aria-label='%s']"):format(words, words)
  local element = self:all("//button" .. place)[1] or self:find("//a" .. place)
  self:command("POST", element .. "/click")
  wait_until_gone(self, element)
end

--- Puts a text into the field of a label, in place of what is there.
function Browser:fill(name, text)
  local element = self:find(label(name) .. "//*[self::input or self::textarea]")
  self:command("POST", element .. "/clear")
  self:command("POST", element .. "/value", { text = text })
end

function Browser:choose(name, option)
  local path = "%s//option[normalize-space()='%s']"
  self:command("POST", self:find(path:format(label(name), option)) .. "/click")
end

function Browser:check(name)
  self:command("POST", self:find(label(name) .. "/input") .. "/click")
end

--- The message beside the field of a label, or nil.
function Browser:message(name)
  local found = self:all(label(name) .. "/following-sibling::*[1][@class='error']")[1]
  return found and self:command("GET", found .. "/text")
end

function Browser:run(script)
  return self:command("POST", "/execute/sync", { script = script, args = json.decode "[]" })
end

--- The cookies, by name.
function Browser:cookies()
  local found = {}
  for _, cookie in ipairs(self:command("GET", "/cookie")) do found[cookie.name] = cookie end
  return found
end

--- Keeps what is to be seen as a PNG.
function Browser:screenshot(path)
  local picture = require "mime".unb64(self:command("GET", "/screenshot"))
  local file = assert(io.open(path, "wb"))
  file:write(picture)
  file:close()
end

--- Ends it.
function Browser:stop()
  pcall(self.command, self, "DELETE", "")
  os.execute("kill -TERM " .. self.pid)
  self.pipe:close()
end

local function free_port()
  local probe = assert(socket.bind("127.0.0.1", 0))
  local _, port = probe:getsockname()
  probe:close()
  return port
end

--- Starts a browser. It ends with this process at the latest.
---@param site string where paths begin: "http://127.0.0.1:8080"
---@return modm.Browser
function browser.start(site)
  local port = free_port()
  local own = setmetatable({ site = site, driver = "http://127.0.0.1:" .. port }, Browser)
  own.pipe = assert(io.popen("echo $$; exec setpriv --pdeathsig TERM chromedriver --port=" .. port
    .. " --log-level=OFF 2>&1"))
  own.pid = own.pipe:read "*l"
  for _ = 1, 200 do
    local connection = socket.connect("127.0.0.1", port)
    if connection then connection:close() break end
    socket.sleep(0.05)
  end
  local session = command(own, "POST", "/session", { capabilities = { alwaysMatch = {
    browserName = "chrome", ["goog:chromeOptions"] = { args = OPTIONS },
  } } })
  own.session = "/session/" .. session.sessionId
  return own
end

return browser
