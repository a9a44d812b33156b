-- DateTime: what it is made from, what it prints, how it counts.
local modm = require "modm.core"
local DateTime = modm.DateTime

local function ms(text)
  local ok, date = pcall(DateTime, text)
  return ok and date:ms() or nil
end

describe("DateTime from text", function()
  it("reads the forms of ISO 8601", function()
    local cases = {
      ["1970-01-01"] = 0,
      ["1970-1-2"] = 86400000,
      ["2024-02-29T12:00:00.123Z"] = 1709208000123,
      ["2024-02-29 12:00"] = 1709208000000,
      ["2024-02-29T1:2"] = 1709168520000,
      ["2024-02-29T1:2:3"] = 1709168523000,
      ["2024-02-29T12:00:00.1"] = 1709208000100,
      ["2024-02-29T12:00:00.1239"] = 1709208000123,
      ["2024-02-29T12:00:00.999999"] = 1709208000999,
      ["2024-02-29T12:00:00.123456000"] = 1709208000123,
      ["2024-02-29T12:00:00+02"] = 1709200800000,
      ["2024-02-29T12:00:00+0230"] = 1709199000000,
      ["2024-02-29T12:00:00-02:30"] = 1709217000000,
      ["2024-02-29T12:00+00:00"] = 1709208000000,
      ["2024-02-29Z"] = 1709164800000,
      ["2024-02-29+01:00"] = 1709161200000,
      ["1969-12-31T23:59:59.999Z"] = -1,
      ["0001-01-01"] = -62135596800000,
      ["9999-12-31T23:59:59.999"] = 253402300799999,
    }
    for text, expected in pairs(cases) do
      assert.are.equal(expected, ms(text), text)
    end
  end)

  it("refuses what is none", function()
    for _, text in ipairs { "", "2024", "2024-02", "2024-13-01", "2024-00-01", "2024-01-00",
      "2024-02-30",
      "2023-02-29", "1900-02-29", "2024-04-31", "24-01-01", "02024-01-01", "2024-001-01",
      "2024-01-001",
      "2024-01-01T", "2024-01-01T12", "2024-01-01T24:00", "2024-01-01T25:00", "2024-01-01T12:60",
      "2024-01-01T12:00:60", "2024-01-01T12:00:", "2024-01-01T12:00:00.", "2024-01-01T12:00:00,5",
      "2024-01-01T12:00:00.1234567", "2024-01-01T12:00.5", "2024-01-01T12:00:00z",
      "2024-01-01t12:00",
      "2024-01-01T12:00:00ZZ", "2024-01-01T12:00:00Z ", " 2024-01-01", "2024-01-01T12:00:00+1",
      "2024-01-01T12:00:00+24", "2024-01-01T12:00:00+01:60", "2024-01-01T12:00:00+01:",
      "2024-01-01T12:00:00+01:0", "2024-01-01T12:00:00+010", "2024-01-01T12:00:00 +01",
      "2024-01-01\0", "2024-01-01  12:00", "x", "-2024-01-01", "2024-1", "2024-1-", "2024--1" } do
      assert.is_nil(ms(text), text)
    end
  end)

  it("reads what it prints", function()
    for _, n in ipairs { 0, -1, 1, 951782400000, -62135596800000, -62167219200000,
      253402300799999 } do
      assert.are.equal(n, ms(tostring(DateTime.from_ms(n))))
    end
  end)
end)

describe("DateTime from numbers", function()
  it("takes seconds and cuts to milliseconds", function()
    assert.are.equal(0, DateTime(0):ms())
    assert.are.equal(1709208000000, DateTime(1709208000):ms())
    assert.are.equal(1500, DateTime(1.5):ms())
    assert.are.equal(1001, DateTime(1.001):ms())
    assert.are.equal(1001, DateTime(1.0019999):ms())
    assert.are.equal(-1, DateTime(-0.0001):ms())
    assert.are.equal(-1500, DateTime(-1.5):ms())
  end)

  it("gives the seconds it came from", function()
    for _, n in ipairs { 1, 999, 1709208000123, 1709208000001, 4102444800001, 8640000000000001,
      -1234567 } do
      assert.are.equal(n, DateTime(DateTime.from_ms(n):seconds()):ms())
    end
  end)

  it("refuses what is out of its range", function()
    for _, bad in ipairs { 1e300, -1e300, 1 / 0, -1 / 0, 0 / 0, 9.3e15 } do
      assert.is_false(pcall(DateTime, bad), tostring(bad))
    end
    if math.maxinteger then assert.is_false(pcall(DateTime, math.maxinteger)) end
    assert.is_false(pcall(DateTime, true))
    assert.is_false(pcall(DateTime))
    assert.is_false(pcall(DateTime.from_ms, 1.5))
    assert.is_false(pcall(DateTime.from_ms, "1"))
  end)

  it("knows the time", function()
    assert.is_true(math.abs(DateTime.now():seconds() - os.time()) < 5)
  end)
end)

describe("DateTime from a table", function()
  it("takes what os.date gives, as UTC", function()
    local now = 1709211723
    assert.are.equal(now * 1000, DateTime(os.date("!*t", now)):ms())
    local date = DateTime(now + 0.25)
    assert.are.equal(date, DateTime(date:date()))
    for key, value in pairs(os.date("!*t", now)) do
      assert.are.equal(value, date:date()[key], key)
    end
    assert.are.equal(250, date:date().msec)
  end)

  it("means midnight when it has no time", function()
    assert.are.equal(1709164800000, DateTime { year = 2024, month = 2, day = 29 }:ms())
  end)

  it("takes the leap second that os.date may give", function()
    assert.are.equal(ms "2017-01-01",
      DateTime { year = 2016, month = 12, day = 31, hour = 23, min = 59, sec = 60 }:ms())
  end)

  it("refuses fields that are missing or out of their ranges", function()
    for _, bad in ipairs { {}, { year = 2024, month = 2 }, { year = 2024, month = 13, day = 1 },
      { year = 2023, month = 2, day = 29 }, { year = 2024, month = 1, day = 1, hour = 24 },
      { year = 2024, month = 1, day = 1, min = -1 }, { year = 2024, month = 1, day = 1, sec = 61 },
      { year = 2024, month = 1, day = 1.5 }, { year = "2024", month = 1, day = 1 },
      { year = 2024, month = 1, day = 1, msec = 1000 }, { year = 1e300, month = 1, day = 1 },
      { year = 0 / 0, month = 1, day = 1 }, { year = 300000000, month = 1, day = 1 },
      { year = -300000000, month = 1, day = 1 }, { year = 5e8, month = 1, day = 1 },
      { year = -5e8, month = 1, day = 1 } } do
      assert.is_false(pcall(DateTime, bad))
    end
    local least = { month = 1, day = 1, hour = 0, min = 0, sec = 0, msec = 0 }
    local most = { month = 12, day = 31, hour = 23, min = 59, sec = 60, msec = 999 }
    for name in pairs(least) do
      for _, value in ipairs { least[name] - 1, most[name] + 1, 0.5, "1", true } do
        local date = { year = 2024, month = 1, day = 1 }
        date[name] = value
        assert.is_false(pcall(DateTime, date), name .. " = " .. tostring(value))
      end
    end
  end)

  it("calls no metamethod", function()
    local called = false
    local t = setmetatable({ year = 2024 }, { __index = function() called = true return 1 end })
    assert.is_false(pcall(DateTime, t))
    assert.is_false(called)
  end)
end)

describe("DateTime", function()
  it("agrees with the calendar of os.date", function()
    for year = 1, 9999, 7 do
      local text = ("%04d-%02d-%02dT%02d:%02d:%02d"):format(year, year % 12 + 1, year % 28 + 1,
        year % 24,
        year % 60, year % 59)
      local date = DateTime(text)
      local t, o = date:date(), os.date("!*t", math.floor(date:seconds()))
      assert.are.equal(text .. ".000Z", tostring(date))
      for _, key in ipairs { "year", "month", "day", "hour", "min", "sec", "wday", "yday" } do
        assert.are.equal(o[key], t[key], text .. " " .. key)
      end
    end
  end)

  it("prints years far away without doubt", function()
    local function text(digits) return tostring(DateTime.from_ms(modm.Int64(digits))) end
    assert.are.equal("+292278994-08-17T07:12:55.807Z", text "9223372036854775807")
    assert.are.equal("-292275055-05-16T16:47:04.192Z", text "-9223372036854775808")
    assert.are.equal("+010000-01-01T00:00:00.000Z", text "253402300800000")
    assert.are.equal("0000-01-01T00:00:00.000Z", text "-62167219200000")
    assert.are.equal("-000001-12-31T23:59:59.999Z", text "-62167219200001")
    assert.are.equal(-292275055, DateTime.from_ms(modm.Int64 "-9223372036854775808"):date().year)
  end)

  it("takes tables at both ends of its range", function()
    local max = DateTime.from_ms(modm.Int64 "9223372036854775807")
    local min = DateTime.from_ms(modm.Int64 "-9223372036854775808")
    assert.are.equal(max, DateTime(max:date()))
    assert.are.equal(min, DateTime(min:date()))
    local t = max:date()
    t.msec = t.msec + 1
    assert.is_false(pcall(DateTime, t))
    t = min:date()
    t.msec = t.msec - 1
    assert.is_false(pcall(DateTime, t))
  end)

  it("counts with seconds", function()
    local a, b = DateTime "2024-02-28T23:59:59.500Z", DateTime "2024-03-01"
    assert.are.equal(86400.5, b - a)
    assert.are.equal(-86400.5, a - b)
    assert.are.equal(b, a + 86400.5)
    assert.are.equal(b, 86400.5 + a)
    assert.are.equal(a, b - 86400.5)
    assert.are.equal(a, a + 0)
  end)

  it("raises where counting has no sense", function()
    local a = DateTime(0)
    for _, wrong in ipairs { function() return a + a end, function() return a + "1" end,
      function() return 5 - a end, function() return "5" - a end, function() return a + {} end,
      function() return a + 1e300 end, function() return a < 5 end,
      function() return DateTime.from_ms(modm.Int64 "9223372036854775807") + 1 end } do
      assert.is_false(pcall(wrong))
    end
    local far = DateTime.from_ms(modm.Int64 "9223372036854775807")
    assert.is_true(far - DateTime.from_ms(modm.Int64 "-9223372036854775808") > 1.8e16)
  end)

  it("has an order", function()
    local a, b = DateTime(-1), DateTime(1)
    assert.is_true(a < b and a <= b and a <= a and b > a)
    assert.is_false(b < a or b <= a or a < a)
  end)
end)
