-- DateTimeField: dates and times of day, in milliseconds and UTC.
local help = require "spec.field.help" (it)
local modm = require "modm"

local f = modm.fields

describe("DateTimeField", function()
  local date = modm.DateTime "2024-02-29T12:30:45.678Z"

  help.accepts(f.DateTimeField, {
    { date, date, "date" },
    { "2024-02-29T12:30:45.678Z", date, "date" },
    { "2024-02-29 13:30:45.678+01:00", date, "date" },
    { "2024-2-29", modm.DateTime "2024-02-29T00:00:00Z", "date" },
    { "2024-02-29T12:30", modm.DateTime "2024-02-29T12:30:00Z", "date" },
    { "2024-02-29T12:30:45.678999", date, "date" },
    { 0, modm.DateTime(0), "date" },
    { 1709209845.678, date, "date" },
    { -1.5, modm.DateTime.from_ms(-1500), "date" },
    { { year = 2024, month = 2, day = 29 }, modm.DateTime "2024-02-29T00:00:00Z", "date" },
    { { year = 2024, month = 2, day = 29, hour = 12, min = 30, sec = 45, msec = 678 }, date,
      "date" },
    { os.date("!*t", 86400), modm.DateTime(86400), "date" },
  })

  local function refused(text)
    return "not a date (seconds, a date table, or ISO 8601 text): " .. text
  end
  help.refuses(f.DateTimeField, {
    { "", "must not be blank (was: '')." },
    { {}, "must not be blank (was: a table)." },
    { modm.null, "must not be blank (was: null)." },
    { "yesterday", refused "'yesterday'" },
    { "2024-02-30", refused "'2024-02-30'" },
    { "2024-13-01", refused "'2024-13-01'" },
    { "2024-02-29T25:00", refused "'2024-02-29T25:00'" },
    { "1900-02-29", refused "'1900-02-29'" },
    { "2024-04-31", refused "'2024-04-31'" },
    { "2024-02-29T23:60", refused "'2024-02-29T23:60'" },
    { "2024-02-29T23:59:61", refused "'2024-02-29T23:59:61'" },
    { "2024-02-29T12:30+24:00", refused "'2024-02-29T12:30+24:00'" },
    { "2024-02-29T12:30+01:60", refused "'2024-02-29T12:30+01:60'" },
    { "2024-060", refused "'2024-060'" }, -- dates by day and by week of the year
    { "2024-W09-4", refused "'2024-W09-4'" },
    { "2024-02-29 ", refused "'2024-02-29 '" },
    { "24-02-29", refused "'24-02-29'" },
    { "2024-02-29T12:30:45.1234567", refused "'2024-02-29T12:30:45.1234567'" },
    { 1e300, refused(tostring(1e300)) },
    { 0 / 0, refused(tostring(0 / 0)) },
    { true, refused "true" },
    { { year = 2024 }, refused "a table" },
    { { year = 2024, month = 2, day = 30 }, refused "a table" },
    { { year = 2024, month = "2", day = 3 }, refused "a table" },
    { print, refused "a function" },
    { modm.ObjectId "0123456789abcdef01234567", refused "0123456789abcdef01234567" },
  })

  help.common("DateTimeField", nil, date, modm.DateTime(0))

  it("has modm.DateTime.now as a default", function()
    local doc = help.document(f.DateTimeField { default = modm.DateTime.now })
    assert.is_true(math.abs(doc.value:seconds() - os.time()) < 60)
    assert.equal("date", (help.stored(doc)))
  end)

  it("reads what is stored of another type", function()
    local doc = help.loaded(f.DateTimeField {}, "2024-02-29")
    assert.equal("2024-02-29", doc.value)
    assert.is_nil(help.errors(doc))
    assert.same({ "string", "2024-02-29" }, { help.stored(doc) })
    assert.same({ refused "'soon'" }, help.errors(help.loaded(f.DateTimeField {}, "soon")))
  end)
end)
