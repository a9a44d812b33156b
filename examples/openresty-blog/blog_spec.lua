-- Drives the blog in a real browser: what a reader of the blog can do, and what nobody can.
local browser = require "spec.support.browser"
local http = require "socket.http"
local server = require "spec.support.server"

local PASSWORD = "winter is coming"
local EVIL = "<script>document.title = 'evil'</script>"
  .. "<img src=x onerror=\"document.title = 'evil'\">"

describe("the blog", function()
  local own, pipe, pid, site

  setup(function()
    pipe = assert(io.popen(("echo $$; BLOG_MONGODB_URI='%s' exec setpriv --pdeathsig TERM "
      .. "examples/openresty-blog/start 2>&1"):format((server.fresh "blog"))))
    pid = pipe:read "*l"
    site = assert(pipe:read "*l"):match "http://[%d.:]+"
    own = browser.start(site)
  end)

  teardown(function()
    if own then own:stop() end
    os.execute("kill -TERM " .. pid)
    assert.equal("", pipe:read "*a") -- nginx had no error to tell
    pipe:close()
  end)

  local function picture(name) own:screenshot("docs/images/blog-" .. name .. ".png") end
  local function has(words) assert.matches(words, own:text(), 1, true) end
  local function has_not(words) assert.is_nil(own:text():find(words, 1, true)) end
  local function notice() return own:text "//p[@class='notice']" end

  local function sign_up(email, name)
    own:visit "/signup"
    own:fill("E-mail", email)
    own:fill("Name", name)
    own:fill("Password", PASSWORD)
    own:click "Sign up"
    assert.equal("Welcome, " .. name .. "!", notice())
  end

  local function log_in(email)
    own:visit "/login"
    own:fill("E-mail", email)
    own:fill("Password", PASSWORD)
    own:click "Log in"
  end

  local function write(title, text)
    own:click "Write"
    own:fill("Title", title)
    own:fill("Text", text)
    own:choose("Category", "the north")
  end

  it("shows beside each field of signing up what is wrong", function()
    own:visit "/"
    has "Nobody has written anything yet."
    own:click "Sign up"
    own:fill("E-mail", "arya")
    own:fill("Password", "needle")
    own:click "Sign up"
    assert.equal("not a valid e-mail address", own:message "E-mail")
    assert.equal("field is required.", own:message "Name")
    assert.equal("must have 8 to 200 characters.", own:message "Password")
    assert.is_nil(own:command("GET", "/source"):find("needle", 1, true))
    picture "signup"
  end)

  it("signs up, in and out", function()
    sign_up("arya@example.com", "Arya Stark")
    local before = own:cookies().session
    assert.is_true(before.httpOnly)
    assert.equal("Lax", before.sameSite)
    own:click "Log out"
    assert.equal("You are logged out.", notice())
    own:visit "/posts/new"
    assert.equal("/login", own:path())
    own:command("POST", "/cookie", { cookie = before }) -- its session is over
    own:visit "/posts/new"
    assert.equal("/login", own:path())

    own:fill("E-mail", "arya@example.com")
    own:fill("Password", "winter is here")
    own:click "Log in"
    assert.equal("address or password is wrong.", own:message "Password")
    log_in "ARYA@example.com"
    assert.equal("Welcome back, Arya Stark!", notice())
    own:click "Log out"
  end)

  it("takes an address once", function()
    own:visit "/signup"
    own:fill("E-mail", "arya@example.com")
    own:fill("Name", "No One")
    own:fill("Password", PASSWORD)
    own:click "Sign up"
    assert.equal("there is a user with this address already.", own:message "E-mail")
    sign_up("jon@example.com", "Jon Snow")
  end)

  it("has categories and tags", function()
    own:click "Categories and tags"
    own:fill("New category", "the north")
    own:click "Add category"
    for _, word in ipairs { "cold", "wall" } do
      own:fill("New tag", word)
      own:click "Add tag"
    end
    own:fill("New tag", ("x"):rep(21))
    own:click "Add tag"
    has "value exceeds the maximum length of 20."
    has "wall"
  end)

  it("shows beside each field of a post what is wrong", function()
    own:click "Write"
    own:fill("Title", "WINTER IS HERE")
    own:check "cold"
    own:click "Save"
    assert.equal("must not shout.", own:message "Title")
    assert.equal("field is required.", own:message "Text")
    assert.equal("field is required.", own:message "Category")
    picture "post-invalid"
  end)

  it("takes the post once it is right", function()
    own:fill("Title", "Winter is here")
    own:fill("Text", "It is colder than they say.\n" .. EVIL)
    own:choose("Category", "the north")
    own:choose("Editor", "Arya Stark")
    own:check "wall"
    own:click "Save"
    assert.equal("Saved.", notice())
    has "edited by Arya Stark"
    has "the north"
    has "cold wall"
  end)

  it("shows a script as text", function()
    has(EVIL)
    assert.same({}, own:all "//main//script | //main//img")
    assert.matches("^Winter is here", own:command("GET", "/title"))
  end)

  it("refuses a comment beside its field, and then takes it", function()
    own:fill("Your comment", "!")
    own:click "Comment"
    assert.equal("'!' is under the minimum length of 2.", own:message "Your comment")
    picture "comment-invalid"
    own:fill("Your comment", "Bring " .. EVIL)
    own:click "Comment"
    assert.equal("Thank you.", notice())
    has("Bring " .. EVIL)
    assert.same({}, own:all "//main//script | //main//img")
  end)

  it("refuses what has no token of this browser's", function()
    for _, script in ipairs { "input.remove()", "input.value = input.value.replace(/./g, 'a')" } do
      own:visit "/"
      own:click "Winter is here"
      own:run("document.querySelectorAll('[name=csrf]').forEach(input => " .. script .. ")")
      own:fill("Your comment", "Forged.")
      own:click "Comment"
      has "This form is not from here"
    end
    assert.equal(403, select(2, http.request(site .. "/signup", "email=a@b.c")))
    own:visit "/"
    has "1 comment"
  end)

  it("lets nobody change what is another's", function()
    local path = own:run "return document.querySelector('article a').pathname"
    own:click "Log out"
    sign_up("sam@example.com", "Samwell Tarly")
    own:visit(path)
    has_not "Change"
    own:visit(path .. "/edit")
    has "This post is not yours."
  end)

  it("lets the editor change a post, but not delete it", function()
    own:click "Log out"
    log_in "arya@example.com"
    own:click "Winter is here"
    assert.same({}, own:all "//button[.='Delete']")
    own:click "Change"
    own:fill("Text", "It is colder than they say.")
    own:click "Save"
    own:fill("Your comment", "Who is no one?")
    own:click "Comment"
    write("Needle", "Stick them with the pointy end.")
    own:click "Save"
    has "Arya Stark, just now"
  end)

  it("DENY: keeps a category that is in use", function()
    own:click "Categories and tags"
    own:click "Delete the category the north"
    assert.matches("^DENY: .*Post.*category", notice())
    assert.is_truthy(own:find "//li[contains(., 'the north')]")
    picture "deny"
  end)

  it("PULL: takes a tag out of the posts", function()
    own:click "Delete the tag wall"
    assert.equal("The tag 'wall' is gone. PULL: posts that lost it: 1.", notice())
    own:click "modm blog"
    has "cold"
    has_not "wall"
    picture "posts"
  end)

  it("CASCADE, NULLIFY, DO_NOTHING: a user leaves", function()
    own:click "Arya Stark"
    has "Your posts are deleted too: 1 post."
    picture "account"
    own:click "Delete my account"
    assert.equal("Arya Stark has left. CASCADE: posts that went along: 1. NULLIFY: posts that lost "
      .. "their editor: 1.", notice())
    has "Sign up"
    has_not "Needle"
    has_not "edited by"
    own:click "Winter is here"
    has "someone who left, just now"
    picture "post"
  end)

  it("deletes a post", function()
    log_in "jon@example.com"
    own:click "Winter is here"
    own:click "Delete"
    assert.equal("'Winter is here' is gone, and its comments with it.", notice())
    own:click "Categories and tags"
    own:click "Delete the category the north"
    assert.equal("The category 'the north' is gone.", notice())
  end)

  it("has no other pages", function()
    own:visit "/nowhere"
    has "There is no such page."
    assert.equal(404, select(2, http.request(site .. "/static/../models.lua")))
  end)
end)
