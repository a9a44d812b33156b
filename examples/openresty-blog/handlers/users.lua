-- Signing up, logging in and out, and leaving.
local models = require "models"
local secrets = require "secrets"
local web = require "web"
local Post, User = models.Post, models.User

local users = {}

-- Hashing takes its time, on purpose: a thread of nginx's does it, and the worker goes on.
local function in_thread(name, ...)
  local ok, result = ngx.run_worker_thread("passwords", "secrets", name, ...) -- luacheck: ignore
  assert(ok, result)
  return result
end

local function sign_up_page(form, errors)
  return web.page("signup", { title = "Sign up", form = form, errors = errors or {} },
    errors and 422)
end

function users.sign_up_form() return sign_up_page {} end

function users.sign_up(request)
  local form = request:form("email", "name", "password")
  local user = User { email = form.email and form.email:lower(), name = form.name }
  local _, _, wrong = user:full_clean { "password" }
  local _, _, weak = models.NewPassword { password = form.password }:full_clean()
  if wrong or weak then
    local errors = wrong and wrong.errors or {}
    errors.password = weak and weak.errors.password
    return sign_up_page(form, errors)
  end
  user.password = in_thread("hash", form.password)
  local ok, message, err = user:save { force_insert = true }
  if not ok then
    if err.kind ~= "DuplicateKeyError" then error(message) end
    return sign_up_page(form, { email = { "there is a user with this address already." } })
  end
  request:log_in(user)
  return web.redirect("/", ("Welcome, %s!"):format(user.name))
end

local function log_in_page(form, errors)
  return web.page("login", { title = "Log in", form = form, errors = errors or {} },
    errors and 422)
end

function users.log_in_form() return log_in_page {} end

-- The hash of nobody's password, so that an unknown address takes as long to refuse as a wrong one.
local nobody = secrets.hash(secrets.token())

function users.log_in(request)
  local form = request:form("email", "password")
  local user = models.found(User.objects:get { email = (form.email or ""):lower() })
  local right = in_thread("verify", user and user.password or nobody, form.password or "")
  if not user or not right then
    return log_in_page(form, { password = { "address or password is wrong." } })
  end
  request:log_in(user)
  return web.redirect("/", ("Welcome back, %s!"):format(user.name))
end

function users.log_out(request)
  request:log_out()
  return web.redirect("/", "You are logged out.")
end

-- What becomes of other documents when a user is deleted, as the rules of the models say.
local function consequences(user)
  return {
    posts = assert(user:related(Post, "author"):count()),
    edited = assert(user:related(Post, "editor"):count()),
    comments = assert(Post.objects:filter { ["comments.author"] = user }:count()),
  }
end

function users.account(request)
  return web.page("account", { title = "Your account", rules = consequences(request.user) })
end

function users.delete(request)
  local user = request.user
  local rules = consequences(user)
  assert(user:delete())
  return web.redirect("/", ("%s has left. CASCADE: posts that went along: %d. NULLIFY: posts that "
    .. "lost their editor: %d."):format(user.name, rules.posts, rules.edited))
end

return users
