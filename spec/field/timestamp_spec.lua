-- TimestampField: seconds and a counter within the second.
local help = require "spec.field.help" (it)
local modm = require "modm"

local f = modm.fields

describe("TimestampField", function()
  local day = modm.Timestamp(1709164800, 0)

  help.accepts(f.TimestampField, {
    { modm.Timestamp(10, 3), modm.Timestamp(10, 3), "timestamp" },
    { modm.Timestamp(4294967295, 4294967295), modm.Timestamp(4294967295, 4294967295),
      "timestamp" },
    { modm.DateTime "2024-02-29", day, "timestamp" },
    { modm.DateTime "2024-02-29T00:00:00.999Z", day, "timestamp" },
    { "2024-02-29", day, "timestamp" },
    { "2024-02-29T01:00:00+01:00", day, "timestamp" },
    { { year = 2024, month = 2, day = 29 }, day, "timestamp" },
    { modm.DateTime(0), modm.Timestamp(0, 0), "timestamp" },
    { "2106-02-07T06:28:15Z", modm.Timestamp(4294967295, 0), "timestamp" },
  })

  local function refused(text) return "not a Timestamp or a date from 1970 to 2106: " .. text end
  help.refuses(f.TimestampField, {
    { "", "must not be blank (was: '')." },
    { {}, "must not be blank (was: a table)." },
    { modm.null, "must not be blank (was: null)." },
    { "yesterday", refused "'yesterday'" },
    { "2023-02-29", refused "'2023-02-29'" },
    { 5, refused "5" },
    { 1709164800.5, refused "1709164800.5" },
    { modm.Int64(5), refused "5" },
    { true, refused "true" },
    { { 10, 3 }, refused "a table" },
    { { year = 1969, month = 12, day = 31 }, refused "a table" },
    { "1969-12-31T23:59:59.999Z", refused "'1969-12-31T23:59:59.999Z'" },
    { "2106-02-07T06:28:16Z", refused "'2106-02-07T06:28:16Z'" },
    { modm.DateTime(-1), refused "1969-12-31T23:59:59.000Z" },
    { print, refused "a function" },
    { modm.ObjectId "0123456789abcdef01234567", refused "0123456789abcdef01234567" },
  })

  help.common("TimestampField", nil, modm.Timestamp(1, 1), modm.Timestamp(1, 2))

  it("reads what is stored of another type", function()
    local doc = help.loaded(f.TimestampField {}, "2024-02-29")
    assert.equal("2024-02-29", doc.value)
    assert.is_nil(help.errors(doc))
    assert.same({ "string", "2024-02-29" }, { help.stored(doc) })
    assert.same({ refused "5" }, help.errors(help.loaded(f.TimestampField {}, 5)))
  end)
end)
