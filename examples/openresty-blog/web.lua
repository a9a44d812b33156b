-- Requests and responses: the browser's session, forms that are safe from forgery, pages.
local modm = require "modm"
local models = require "models"
local secrets = require "secrets"
local view = require "view"

local web = {}

local DAYS = 14 -- that a browser stays logged in

-- All workers have the key of the process that they are forked from. Several machines need a common
-- one.
local key = secrets.digest(os.getenv "BLOG_SECRET" or secrets.token())

local Request = {}
Request.__index = Request

local function set_cookie(name, value, attributes)
  local cookies = ngx.header["Set-Cookie"] or {}
  if type(cookies) == "string" then cookies = { cookies } end
  local secure = ngx.var.scheme == "https" and "; Secure" or ""
  cookies[#cookies + 1] = name .. "=" .. value .. "; Path=/; HttpOnly; SameSite=Lax" .. secure
    .. (attributes or "")
  ngx.header["Set-Cookie"] = cookies
end

local function set_session(request, token)
  request.token = token
  set_cookie("session", token, "; Max-Age=" .. DAYS * 86400)
end

-- The request that nginx has in hand. Every browser gets a token, and with it forms of its own; who
-- logs in has a Session besides.
function web.request()
  local request = setmetatable({ method = ngx.req.get_method(), path = ngx.var.uri }, Request)
  local token = ngx.var.cookie_session
  if not token or #token ~= 64 then
    set_session(request, secrets.token())
    return request
  end
  request.token = token
  local session = models.found(models.Session.objects:select_related("user")
    :filter { digest = secrets.digest(token), expires = modm.gt(modm.DateTime.now()) }:first())
  request.user = session and session.user
  return request
end

-- A new token, so that one that was planted before is worth nothing.
function Request:log_in(user)
  local token = secrets.token()
  assert(models.Session {
    digest = secrets.digest(token), user = user, expires = os.time() + DAYS * 86400,
  }:save())
  set_session(self, token)
end

function Request:log_out()
  local session = models.found(models.Session.objects:get { pk = secrets.digest(self.token) })
  if session then assert(session:delete()) end
  set_session(self, secrets.token())
end

-- What a form of this browser sends back, and no other site can know.
function Request:csrf() return secrets.digest(self.token, key) end

local function arguments()
  ngx.req.read_body()
  return ngx.req.get_post_args(100) or {}
end

function Request:is_forged()
  local sent = arguments().csrf
  return type(sent) ~= "string" or not secrets.equal(sent, self:csrf())
end

-- What was sent for the named fields, as texts; one that was left empty is nil. Nothing else that a
-- request holds can get into a document.
function Request:form(...)
  local sent, form = arguments(), {}
  for _, name in ipairs { ... } do
    local value = sent[name]
    form[name] = type(value) == "string" and value:find "%S" and value or nil
  end
  return form
end

-- The texts of a field that may be sent several times.
function Request:list(name)
  local value, list = arguments()[name], {}
  for _, item in ipairs(type(value) == "table" and value or { value }) do
    if type(item) == "string" then list[#list + 1] = item end
  end
  return list
end

-- ---- what handlers return ----

-- A page by its template; status 200 unless another is given.
function web.page(name, values, status)
  return { template = name, values = values, status = status }
end

-- The way on after a form that was taken, with a word for the next page.
function web.redirect(location, notice) return { location = location, notice = notice } end

function web.refuse(status, message)
  return web.page("refused", { title = "Sorry", message = message }, status)
end

function web.send(request, response)
  if response.location then
    if response.notice then set_cookie("notice", ngx.escape_uri(response.notice)) end
    return ngx.redirect(response.location, ngx.HTTP_SEE_OTHER)
  end
  local values, notice = response.values, ngx.var.cookie_notice
  values.user, values.csrf = request.user, request:csrf()
  local layout = {
    title = values.title, user = request.user, csrf = values.csrf,
    content = view.render(response.template, values),
    notice = notice and ngx.unescape_uri(notice),
  }
  if notice then set_cookie("notice", "", "; Max-Age=0") end
  ngx.status = response.status or ngx.HTTP_OK
  ngx.header["Content-Type"] = "text/html; charset=utf-8"
  ngx.header["Cache-Control"] = "no-store"
  ngx.print(view.render("layout", layout).text)
end

return web
