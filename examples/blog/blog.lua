-- A blog on MongoDB: models, validation, queries, references and delete rules, in one script.
-- It runs by `make demo`, or with MODM_URI set to any server: it uses the database modm_blog.
local modm = require "modm"
package.path = (arg[0]:match("^.*/") or "./") .. "?.lua;" .. package.path
local blog = require "models"
local User, Category, Tag = blog.User, blog.Category, blog.Tag
local Comment, Post = blog.Comment, blog.Post

-- ---- printing, and watching what goes to the server ----

local function heading(text)
  print("\n" .. text .. "\n" .. ("-"):rep(#text))
end

local function say(label, format, ...)
  print(("  %-34s %s"):format(label, format:format(...)))
end

-- A table in one line: lists in brackets, else keys in order, without those that start with `_`.
local function show(value)
  if type(value) ~= "table" then
    return type(value) == "string" and ("%q"):format(value) or tostring(value)
  end
  local parts, keys = {}, {}
  for _, item in ipairs(value) do
    parts[#parts + 1] = show(item)
  end
  for key in pairs(value) do
    if type(key) == "string" and not key:find("^_") then
      keys[#keys + 1] = key
    end
  end
  table.sort(keys)
  for _, key in ipairs(keys) do
    parts[#parts + 1] = key .. " = " .. show(value[key])
  end
  return (#keys > 0 and "{ %s }" or "[%s]"):format(table.concat(parts, ", "))
end

local commands = {}
modm.on("command", function(event)
  if event.phase == "started" then
    commands[#commands + 1] = event
  end
end)

-- Runs f and returns the commands that it sent, and what f returned.
local function watch(f)
  commands = {}
  local result = f()
  return commands, result
end

local function count(condition)
  return assert(Post.objects:filter(condition):count())
end

-- ---- the blog ----

local uri = assert(os.getenv("MODM_URI"), "MODM_URI is not set: use `make demo`")
local hosts, query = uri:match("^(mongodb[^:]*://[^/?]+)/?[^?]*(.*)$")
assert(modm.connect(hosts .. "/modm_blog" .. query, { alias = "my-app" }))

local function empty()
  for _, model in ipairs { Post, User, Category, Tag } do
    assert(model.objects:all():delete())
  end
end
empty()

heading("Saving")
local function user(email, first, last)
  return assert(User { email = email, first_name = first, last_name = last }:save())
end
local jon = user("jon@example.com", "Jon", "Snow")
local arya = user("arya@example.com", "Arya", "Stark")
local sam = user("sam@example.com", "Samwell", "Tarly")
local north = assert(Category { name = "the north" }:save())
local cold = assert(Tag { word = "cold" }:save())
local wall = assert(Tag { word = "wall" }:save())

local day = 86400
local now = os.time()
local hello = assert(Post {
  title = "Hello",
  author = jon,
  editor = arya,
  category = north,
  tags = { cold, wall },
  revised_on = now - 2 * day,
  comments = {
    Comment { author = arya, content = "Is it cold there?" },
    Comment { author = sam, content = "Very." },
  },
}:save())
assert(Post.objects:bulk_create {
  Post { title = "Winter is near", author = jon, tags = { cold }, revised_on = now - day },
  Post { title = "Needle", author = arya, editor = jon, revised_on = now, likes = 12 },
  Post { title = "Books I found", author = sam, revised_on = now - 40 * day, likes = 3 },
})
say("a user", "%s", tostring(jon))
say("a post's key, made on saving", "%s", tostring(hello.pk))
say("its comments, inside of it", "%d", #hello.comments)
say("posts after bulk_create", "%d", Post.objects:count())

heading("Invalid input")
local function refuse(document)
  local ok, message, err = document:save()
  assert(not ok and err.kind == "ValidationError")
  print("  " .. message:gsub("; ", "\n  "))
  return err
end
refuse(User { email = "nobody" })
refuse(User { email = "a@b.c", last_name = ("x"):rep(31) })
refuse(Post { author = jon })
refuse(Post { title = "WINTER IS HERE", likes = -1, revised_on = "next winter" })
local err = refuse(Post {
  title = "Comments",
  author = jon,
  comments = { Comment { content = "Fine." }, Comment { content = "!" }, Comment {} },
})
say("err.errors.comments[2].content[1]", "%s", err.errors.comments[2].content[1])

heading("Queries")
local function list(label, posts)
  local titles = {}
  for post in posts:iter() do
    titles[#titles + 1] = post.title
  end
  say(label, "%s", table.concat(titles, ", "))
end
list("of Jon, latest first", Post.objects:filter { author = jon }:order_by { "-revised_on" })
list("of this week", Post.objects:filter { revised_on = modm.gte(now - 7 * day) })
list("liked, or of Sam", Post.objects:filter {
  modm.any_of { { likes = modm.gt(10) }, { author = sam } },
})
list("raw, with MongoDB's operators", Post.objects:raw { likes = { ["$in"] = { 3, 12 } } })
list("the second and third by title", Post.objects:order_by { "title" }:slice(2, 3))
local slim = assert(Post.objects:only("title"):order_by { "title" }:first())
say("only the title is loaded", "%s", slim.title)
local _, complaint = pcall(function()
  return slim.likes
end)
say("reading another field", "%s", (tostring(complaint):gsub("^[^:]+:%d+: ", "")))

heading("References")
local function authors(posts)
  local names = {}
  for post in posts:iter() do
    names[#names + 1] = post.author.first_name
  end
  return table.concat(names, ", ")
end
local by_title = Post.objects:order_by { "title" }
local function count_commands(label, f)
  local sent, result = watch(f)
  say(label, "%d command%s: %s", #sent, #sent == 1 and "" or "s", result)
end
local post = assert(Post.objects:get { title = "Hello" })
count_commands("touched first", function()
  return post.author.first_name
end)
count_commands("touched again", function()
  return post.author.first_name
end)
count_commands("its stored key", function()
  return post:id_of("author")
end)
count_commands("all authors with select_related", function()
  return authors(by_title:select_related("author"))
end)

heading("Saving a change")
local function sent_by(label, f)
  for _, event in ipairs(watch(f)) do
    local text = show(event.command.updates[1].u)
    say(label, "%s %s", event.name, #text > 60 and text:sub(1, 57) .. "..." or text)
  end
end
post.likes = post.likes + 1
sent_by("one field", function()
  return assert(post:save())
end)
post.comments[2].content = "Very, very."
sent_by("deep inside", function()
  return assert(post:save())
end)
post.comments[3] = Comment { author = jon, content = "Winter is coming." }
sent_by("a list that grew", function()
  return assert(post:save())
end)
say("nothing", "%d commands", #watch(function()
  return assert(post:save())
end))

heading("Deleting")
local ok, message = north:delete()
assert(not ok)
say("DENY: a category in use", "%s", message)
assert(wall:delete())
post = assert(Post.objects:get { title = "Hello" })
say("PULL: a tag leaves the lists", "%s has %d tag, %s", post.title, #post.tags, post.tags[1].word)
assert(arya:delete())
post = assert(Post.objects:get { title = "Hello" })
say("NULLIFY: the editor left", "post.editor is %s", tostring(post.editor))
say("DO_NOTHING: a comment's author", "reads as %s, its key is %s",
  tostring(post.comments[1].author), post.comments[1]:id_of("author"))
say("CASCADE: posts of Arya", "%d left", count { author = "arya@example.com" })
say("posts of Jon before he goes", "%d", count { author = jon })
assert(jon:delete())
say("and after", "%d", count { author = "jon@example.com" })
list("what is left", Post.objects)

empty()
modm.disconnect("my-app")
