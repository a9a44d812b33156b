-- The way of a request: to its handler by method and path, and back as a page.
local labels = require "handlers.labels"
local posts = require "handlers.posts"
local users = require "handlers.users"
local web = require "web"

local app = {}

local ID = "(" .. ("%x"):rep(24) .. ")" -- an ObjectId; handlers get it after the request

-- method, pattern of the path, handler, and whether one must be logged in
local routes = {
  { "GET", "/", posts.list },
  { "GET", "/posts/new", posts.new, true },
  { "POST", "/posts/new", posts.create, true },
  { "GET", "/posts/" .. ID, posts.show },
  { "GET", "/posts/" .. ID .. "/edit", posts.edit, true },
  { "POST", "/posts/" .. ID .. "/edit", posts.update, true },
  { "POST", "/posts/" .. ID .. "/delete", posts.delete, true },
  { "POST", "/posts/" .. ID .. "/comment", posts.comment, true },
  { "GET", "/labels", labels.list, true },
  { "POST", "/categories", labels.create_category, true },
  { "POST", "/categories/delete", labels.delete_category, true },
  { "POST", "/tags", labels.create_tag, true },
  { "POST", "/tags/delete", labels.delete_tag, true },
  { "GET", "/signup", users.sign_up_form },
  { "POST", "/signup", users.sign_up },
  { "GET", "/login", users.log_in_form },
  { "POST", "/login", users.log_in },
  { "POST", "/logout", users.log_out, true },
  { "GET", "/account", users.account, true },
  { "POST", "/account/delete", users.delete, true },
}

local function respond(request)
  local method = request.method == "HEAD" and "GET" or request.method
  for _, route in ipairs(routes) do
    local first, _, id = request.path:find("^" .. route[2] .. "$")
    if first and route[1] == method then
      if method == "POST" and request:is_forged() then
        return web.refuse(403, "This form is not from here, or too old. Please go back, load the "
          .. "page again and try once more.")
      end
      if route[4] and not request.user then
        return web.redirect("/login", "Please log in first.")
      end
      return route[3](request, id)
    end
  end
  return web.refuse(404, "There is no such page.")
end

-- Called by nginx for each request. What a handler or a template raises is for the log, where it is
-- told with its place; the reader sees static/500.html.
function app.run()
  local ok, failure = xpcall(function()
    local request = web.request()
    web.send(request, respond(request))
  end, function(raised) return debug.traceback(tostring(raised)) end)
  if not ok then
    ngx.log(ngx.ERR, failure)
    return ngx.exit(ngx.HTTP_INTERNAL_SERVER_ERROR)
  end
end

return app
