-- Categories and tags: what posts are sorted by. A category that is in use stays; a tag leaves.
local models = require "models"
local web = require "web"
local Category, Post, Tag = models.Category, models.Post, models.Tag

local labels = {}

local function page(form, errors)
  return web.page("labels", {
    title = "Categories and tags", form = form or {}, errors = errors or {},
    categories = assert(Category.objects:order_by { "name" }:list()),
    tags = assert(Tag.objects:order_by { "word" }:list()),
  }, errors and 422)
end

function labels.list() return page() end

-- Saves a label, or shows what is wrong with it. One that is there already is no error.
local function create(label, form)
  local ok, message, err = label:save()
  if ok then return web.redirect "/labels" end
  if err.kind ~= "ValidationError" then error(message) end
  return page(form, err.errors)
end

-- Deletes a label, or says which rule denies it.
local function delete(label, done)
  if not label then return web.redirect("/labels", "It is gone already.") end
  local ok, message, err = label:delete()
  if not ok and err.kind ~= "OperationError" then error(message) end
  return web.redirect("/labels", ok and done or "DENY: " .. message)
end

function labels.create_category(request)
  local form = request:form "name"
  return create(Category { name = form.name }, form)
end

function labels.delete_category(request)
  local name = request:form("name").name or ""
  local category = models.found(Category.objects:get { name = name })
  return delete(category, ("The category '%s' is gone."):format(name))
end

function labels.create_tag(request)
  local form = request:form "word"
  return create(Tag { word = form.word }, form)
end

function labels.delete_tag(request)
  local word = request:form("word").word or ""
  local tag = models.found(Tag.objects:get { word = word })
  local used = tag and assert(tag:related(Post, "tags"):count())
  return delete(tag,
    ("The tag '%s' is gone. PULL: posts that lost it: %d."):format(word, used or 0))
end

return labels
