-- Looking for words: modm.text, and the order by how well they were found.
local help = require "spec.query.help"
local modm = require "modm"

local f = modm.fields

help.connect "text"

local Note = modm.MongoModel:extend("text.Note", {
  title = f.CharField {}, body = f.CharField { mongo_name = "b" },
  Meta = { connection_alias = "text", indexes = { { { "title", "text" }, { "body", "text" } } } },
})
local Bare = modm.MongoModel:extend("text.Bare", { Meta = { connection_alias = "text" } })

local function titles(set) return table.concat(help.pluck(assert(set:list()), "title"), " ") end
local function found(...) return Note.objects:filter { modm.text(...) } end

describe("a filter of words", function()
  setup(function()
    assert(Note.objects:bulk_create {
      Note { title = "one", body = "a dog in the fog" },
      Note { title = "two", body = "dogs, dogs and a dog" },
      Note { title = "three", body = "Café in the fog" },
    })
  end)

  it("finds them by the text index, as the language has it", function()
    assert.equal("one two", titles(found "dog":order_by "title"))
    assert.equal("three", titles(found "fog -dog"))
    assert.equal("one three", titles(found '"the fog"':order_by "title"))
    assert.equal("one two", titles(found "dogs":order_by "title"))
    assert.equal("", titles(found("dogs", { language = "none" }))) -- the index has "dog"
    assert.equal("", titles(found("cafe", { diacritic_sensitive = true })))
    assert.equal("three", titles(found "cafe"))
    assert.equal("three", titles(found("Café", { case_sensitive = true })))
    assert.equal("", titles(found("CAFÉ", { case_sensitive = true })))
  end)

  it("may stand beside other conditions, at every end", function()
    local set = Note.objects:filter { modm.text "dog", title = modm.ne "one" }
    assert.equal("two", titles(set))
    assert.equal(1, set:count())
    assert.is_true(set:exists())
    assert.same({ "two" }, set:distinct "title")
    assert.equal("one", titles(Note.objects:filter { title = "one" }:filter { modm.text "dog" }))
    assert.equal("one", titles(Note.objects:filter { modm.text "dog", modm.any_of {
      { title = "one" }, { title = "three" } } }))
    assert.equal(1, #set:aggregate({ ["$limit"] = 5 }):list())
  end)

  it("sends them in the server's words", function()
    local command = help.one(function()
      found("x", { language = "fr", case_sensitive = false, diacritic_sensitive = true }):list()
    end)
    assert.same({ ["$text"] = { ["$search"] = "x", ["$language"] = "fr",
      ["$caseSensitive"] = false, ["$diacriticSensitive"] = true } }, command.filter["$and"][1])
  end)

  it("sorts by how well they were found", function()
    assert.equal("two one", titles(found "dog":order_by(modm.text_score)))
    assert.equal("two one", titles(found "dog":order_by(modm.text_score, "title")))
    assert.equal("two one", titles(found "dog":order_by { modm.text_score, "-title" }))
    assert.equal("two", found "dog":order_by(modm.text_score):first().title)
  end)

  it("fails where there is no text index, and for a language that is none", function()
    assert.equal("ServerError", (select(3, Bare.objects:filter { modm.text "x" }:list())).kind)
    assert.equal("ServerError", (select(3, found("x", { language = "klingon" }):list())).kind)
  end)

  it("raises for what it cannot be", function()
    for _, fn in ipairs {
      function() modm.text() end, function() modm.text "" end, function() modm.text {} end,
      function() modm.text "\255" end, function() modm.text("x", { lang = "fr" }) end,
      function() modm.text("x", { language = 5 }) end,
      function() Note.objects:filter { title = modm.text "x" } end,
      function() modm.not_(modm.text "x") end,
    } do
      local message, here = help.raised(fn)
      assert.is_true(here, message)
    end
  end)
end)
