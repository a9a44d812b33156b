-- Posts and their comments.
local models = require "models"
local web = require "web"
local Category, Comment, Post, Tag, User =
  models.Category, models.Comment, models.Post, models.Tag, models.User

local posts = {}

function posts.list()
  local latest = Post.objects:order_by { "-written" }:limit(20)
    :select_related("author", "editor"):list()
  return web.page("posts", { title = "Posts", posts = assert(latest) })
end

-- ---- writing ----

-- The page with the form of a post: what was sent, or what the post has.
local function form_page(post, form, errors)
  return web.page("post_form", {
    title = post.pk and "Change a post" or "A new post", form = form, errors = errors or {},
    categories = assert(Category.objects:order_by { "name" }:list()),
    tags = assert(Tag.objects:order_by { "word" }:list()),
    users = assert(User.objects:order_by { "name" }:list()),
  }, errors and 422)
end

local function read_form(request)
  local form = request:form("title", "content", "category", "editor")
  form.tags = assert(Tag.objects:in_bulk(request:list "tags")) -- by their words
  return form
end

-- What a form names by its key, if there is such a document.
local function chosen(Model, key) return key and models.found(Model.objects:get { pk = key }) end

local function save(post, form)
  post.title, post.content = form.title, form.content
  post.category, post.editor = chosen(Category, form.category), chosen(User, form.editor)
  local words = {}
  for word in pairs(form.tags) do words[#words + 1] = word end
  table.sort(words)
  post.tags = words
  local ok, message, err = post:save()
  if ok then return web.redirect("/posts/" .. tostring(post.pk), "Saved.") end
  if err.kind ~= "ValidationError" then error(message) end
  return form_page(post, form, err.errors)
end

function posts.new() return form_page(Post {}, { tags = {} }) end

function posts.create(request)
  return save(Post { author = request.user }, read_form(request))
end

-- Calls a function with the post of that id, if the user is one of those who may change it.
local function with_own(request, id, also_editor, fn)
  local post = models.found(Post.objects:get { pk = id })
  if not post then return web.refuse(404, "This post is gone.") end
  local user = request.user.pk
  if post:id_of "author" ~= user and not (also_editor and post:id_of "editor" == user) then
    return web.refuse(403, "This post is not yours.")
  end
  return fn(post)
end

function posts.edit(request, id)
  return with_own(request, id, true, function(post)
    local form = {
      title = post.title, content = post.content, tags = {},
      category = post:id_of "category", editor = post:id_of "editor",
    }
    for _, word in ipairs(post:id_of "tags") do form.tags[word] = true end
    return form_page(post, form)
  end)
end

function posts.update(request, id)
  return with_own(request, id, true, function(post) return save(post, read_form(request)) end)
end

function posts.delete(request, id)
  return with_own(request, id, false, function(post)
    assert(post:delete())
    return web.redirect("/", ("'%s' is gone, and its comments with it."):format(post.title))
  end)
end

-- ---- reading ----

local function show(request, post, form, errors)
  local user = request.user and request.user.pk
  local is_author = user ~= nil and post:id_of "author" == user
  return web.page("post", {
    title = post.title, post = post, form = form or {}, errors = errors or {},
    may_delete = is_author,
    may_change = is_author or user ~= nil and post:id_of "editor" == user,
  }, errors and 422)
end

local function find(id)
  return models.found(Post.objects:select_related("author", "editor", "comments.author")
    :get { pk = id })
end

function posts.show(request, id)
  local post = find(id)
  if not post then return web.refuse(404, "This post is gone.") end
  return show(request, post)
end

function posts.comment(request, id)
  local post = find(id)
  if not post then return web.refuse(404, "This post is gone.") end
  local form = request:form "content"
  local place = #post.comments + 1
  post.comments[place] = Comment { author = request.user, content = form.content }
  local ok, message, err = post:save() -- sends the new comment alone, by $push
  if ok then return web.redirect("/posts/" .. id, "Thank you.") end
  if err.kind ~= "ValidationError" then error(message) end
  post.comments[place] = nil
  return show(request, post, form, err.errors.comments[place])
end

return posts
