-- ImageField: files that are pictures by their own headers.
local core = require "modm.core"
local fields_help = require "spec.field.help" (it)
local help = require "spec.gridfs.help"
local modm = require "modm"

local f = modm.fields

local function png(width, height, rest)
  return "\137PNG\r\n\26\n\0\0\0\13IHDR" .. width .. height .. (rest or "\8\2\0\0\0") .. "\0\0\0\0"
end

local SOF = "\255\192\0\11\8\0\2\0\3\1\1\17\0"
local APP = "\255\224\0\4ab"
local pictures = {
  { "PNG", png("\0\0\0\3", "\0\0\0\2") },
  { "JPEG", "\255\216" .. APP .. SOF },
  { "JPEG", "\255\216\255\196\0\4ab\255\200\0\4ab\255\204\0\4ab\255\219\0\4ab" .. SOF },
  { "JPEG", "\255\216" .. APP .. "\255" .. "\255\194\0\11\8\0\2\0\3\1\1\17\0" },
  { "GIF", "GIF87a\3\0\2\0\0\0\0" },
  { "GIF", "GIF89a\3\0\2\0\0\0\0" },
  { "BMP", "BM" .. ("\0"):rep(12) .. "\40\0\0\0\3\0\0\0\2\0\0\0\1\0\24\0" .. ("\0"):rep(24) },
  { "BMP", "BM" .. ("\0"):rep(12) .. "\40\0\0\0\3\0\0\0\254\255\255\255\1\0\24\0"
    .. ("\0"):rep(24) },
  { "BMP", "BM" .. ("\0"):rep(12) .. "\12\0\0\0\3\0\2\0\1\0\24\0" },
  { "WebP", "RIFF\22\0\0\0WEBPVP8 \10\0\0\0\0\0\0\157\1\42\3\0\2\0" },
  { "WebP", "RIFF\22\0\0\0WEBPVP8L\10\0\0\0\47\2\64\0\0" .. ("\0"):rep(5) },
  { "WebP", "RIFF\22\0\0\0WEBPVP8X\10\0\0\0\0\0\0\0\2\0\0\1\0\0" },
}

local refused = {
  { "", "none of them" },
  { "text", "none of them" },
  { "<svg/>", "none of them" },
  { "\137PNG\r\n\26", "none of them" }, -- a signature cut short
  { "\137PNG\n\26\n" .. ("\0"):rep(30), "none of them" }, -- line ends were converted
  { png("\0\0\0\3", "\0\0\0\2"):sub(1, 32), "PNG: its header is cut short" },
  { png("\0\0\0\0", "\0\0\0\2"), "PNG: its width or height is 0" },
  { png("\0\0\0\3", "\0\0\0\0"), "PNG: its width or height is 0" },
  { png("\128\0\0\3", "\0\0\0\2"), "PNG: its header is damaged" },
  { png("\0\0\0\3", "\0\0\0\2", "\4\2\0\0\0"), "PNG: its header is damaged" }, -- depth of colour
  { png("\0\0\0\3", "\0\0\0\2", "\8\5\0\0\0"), "PNG: its header is damaged" }, -- type of colour
  { png("\0\0\0\3", "\0\0\0\2"):gsub("IHDR", "IDAT"), "PNG: its header is damaged" },
  { png("\0\0\0\3", "\128\0\0\2"), "PNG: its header is damaged" },
  { png("\0\0\0\3", "\0\0\0\2"):gsub("\13IHDR", "\14IHDR"), "PNG: its header is damaged" },
  { png("\0\0\0\3", "\0\0\0\2", "\17\2\0\0\0"), "PNG: its header is damaged" },
  { png("\0\0\0\3", "\0\0\0\2", "\8\7\0\0\0"), "PNG: its header is damaged" },
  { png("\0\0\0\3", "\0\0\0\2", "\8\2\1\0\0"), "PNG: its header is damaged" }, -- compression
  { png("\0\0\0\3", "\0\0\0\2", "\8\2\0\1\0"), "PNG: its header is damaged" }, -- filter
  { png("\0\0\0\3", "\0\0\0\2", "\8\2\0\0\2"), "PNG: its header is damaged" }, -- interlace
  { "\255\216\255", "JPEG: its header is cut short" },
  { "\255\216" .. APP .. "\255\191\0\4ab", "JPEG: its header is damaged" }, -- reserved markers
  { "\255\216" .. APP .. "\255\208\0\4ab", "JPEG: its header is damaged" },
  { "\255\216" .. APP .. "\255\216\0\4ab", "JPEG: its header is damaged" },
  { "\255\216\255\192\0\8\8\0\2\0\3\0\1\17\0", "JPEG: its header is damaged" }, -- no component
  { "\255\216" .. APP, "JPEG: its header is cut short" },
  { "\255\216" .. SOF:sub(1, 8), "JPEG: its header is cut short" },
  { "\255\216" .. APP .. "\255\218\0\8", "JPEG: it has no frame" },
  { "\255\216" .. APP .. "\255\217\0\0", "JPEG: it has no frame" },
  { "\255\216\255\224\0\1ab", "JPEG: its header is damaged" }, -- a length below its own two bytes
  { "\255\216" .. APP .. "no marker", "JPEG: its header is damaged" },
  { "\255\216\255\192\0\11\8\0\0\0\3\1\1\17\0", "JPEG: its width or height is 0" },
  { "\255\216\255\192\0\12\8\0\2\0\3\1\1\17\0", "JPEG: its header is damaged" },
  { "GIF89a\3\0\2\0\0\0", "GIF: its header is cut short" },
  { "GIF88a\3\0\2\0\0\0\0", "GIF: its header is damaged" },
  { "GIF89a\0\0\2\0\0\0\0", "GIF: its width or height is 0" },
  { "BM", "BMP: its header is cut short" },
  { "BM" .. ("\0"):rep(12) .. "\40\0\0\0\3\0\0\0\2\0\0\0\1\0\24\0", "BMP: its header is cut" },
  { "BM" .. ("\0"):rep(12) .. "\13\0\0\0\3\0\0\0\2\0\0\0\1\0\24\0", "BMP: its header is damaged" },
  { "BM" .. ("\0"):rep(12) .. "\12\0\0\0\3\0\0\0\1\0\24\0", "BMP: its width or height is 0" },
  { "BM" .. ("\0"):rep(12) .. "\12\0\0\0\3\0\2\0\2\0\24\0", "BMP: its header is damaged" },
  { "BM" .. ("\0"):rep(12) .. "\125\0\0\0\3\0\0\0\2\0\0\0\1\0\24\0", "BMP: its header is damaged" },
  { "BM" .. ("\0"):rep(12) .. "\40\0\0\0\0\0\0\128\2\0\0\0\1\0\24\0" .. ("\0"):rep(24),
    "BMP: its header is damaged" }, -- a negative width
  { "BM" .. ("\0"):rep(12) .. "\40\0\0\0\3\0\0\0\0\0\0\128\1\0\24\0" .. ("\0"):rep(24),
    "BMP: its header is damaged" },
  { "RIFF\22\0\0\0WEBPVP8 ", "WebP: its header is cut short" },
  { "RIFF\22\0\0\0WAVEfmt \10\0\0\0" .. ("\0"):rep(10), "WebP: its header is damaged" },
  { "RIFF\22\0\0\0WEBPVP8 \10\0\0\0\1\0\0\157\1\42\3\0\2\0", "WebP: its header is damaged" },
  { "RIFF\22\0\0\0WEBPVP8L\10\0\0\0\46\2\64\0\0" .. ("\0"):rep(5), "WebP: its header is damaged" },
  { "RIFF\22\0\0\0WAVEfmt ", "WebP: its header is damaged" },
  { "RIFF\22\0\0\0WEBPVP8 \10\0\0\0\0\0\0\157\1\43\3\0\2\0", "WebP: its header is damaged" },
  { "RIFF\22\0\0\0WEBPVP8L\10\0\0\0\47\2\64\0\32" .. ("\0"):rep(5),
    "WebP: its header is damaged" },
  { "RIFF\22\0\0\0WEBPALPH\10\0\0\0" .. ("\0"):rep(10), "WebP: its header is damaged" },
  { "RIFF\22\0\0\0WEBPVP8 \10\0\0\0\0\0\0\157\1\42\0\0\2\0", "WebP: its width or height is 0" },
}

describe("ImageField", function()
  local conn, Picture

  setup(function()
    conn = help.connect "images"
    Picture = modm.MongoModel:extend("images.Picture", { value = f.ImageField {},
      Meta = { connection_alias = "images" } })
  end)
  teardown(function() modm.disconnect "images" end)

  for i, case in ipairs(pictures) do
    it(("takes a %s (%d) and knows its size"):format(case[1], i), function()
      local doc = Picture { value = modm.ContentFile(case[2]) }
      assert.same({ case[1], 3, 2 }, { doc.value.format, doc.value.width, doc.value.height })
      assert(doc:save())
      doc = Picture.objects:get { pk = doc.pk }
      assert.same({ case[1], 3, 2 }, { doc.value.format, doc.value.width, doc.value.height })
      assert.equal(case[2], doc.value:read "a")
      assert.is_true(doc:is_valid())
    end)
  end

  fields_help.refusals("ImageField", refused, function(bytes, part)
    local before = help.counts(conn)
    local doc = Picture { value = modm.ContentFile(bytes) }
    local found = fields_help.errors(doc)
    assert.equal(1, #found)
    assert.equal("not a PNG, JPEG, GIF, WebP or BMP: ", found[1]:match "^.-BMP: ")
    assert.is_truthy(found[1]:find(part, 1, true), found[1])
    assert.is_nil((doc:save()))
    assert.same(before, help.counts(conn))
  end)

  it("reads no byte behind any cut of a header", function()
    for _, case in ipairs(pictures) do
      for n = 0, #case[2] do
        local format, width = core.image(case[2]:sub(1, n))
        assert(format == nil or width == 3)
      end
    end
  end)

  it("takes an io file, and gives its validators what reading gives", function()
    local path, seen = os.tmpname(), nil
    local out = io.open(path, "wb")
    out:write(pictures[1][2])
    out:close()
    local opened = io.open(path, "rb")
    local Small = modm.MongoModel:extend("images.Small", {
      value = f.ImageField { validators = { function(image)
        seen = image.width
        return image.height <= 2, "is too high"
      end } },
      Meta = { connection_alias = "images" } })
    local doc = assert(Small { value = opened }:save())
    assert.equal(3, seen)
    doc = Small.objects:get { pk = doc.pk }
    assert.is_true(doc:is_valid())
    assert.same({ "PNG", pictures[1][2] }, { doc.value.format, doc.value:read "a" })
    opened:close()
    os.remove(path)
  end)

  it("looks into an object that cannot seek, and stores all of it", function()
    local text, at = pictures[1][2] .. ("x"):rep(5000), 1
    local doc = Picture { value = help.source(function(n)
      local part = text:sub(at, at + math.min(n, 100) - 1)
      at = at + #part
      return part ~= "" and part or nil
    end) }
    assert.is_true(doc:is_valid())
    assert.is_true(doc:is_valid())
    assert(doc:save())
    assert.equal(text, doc.value:read "a")
  end)

  it("runs its other validators after its own", function()
    local function refuse() return nil, "no" end
    local Model = fields_help.model(f.ImageField { validators = { refuse } })
    assert.same({ "no" }, fields_help.errors(Model { value = modm.ContentFile(pictures[1][2]) }))
  end)

  fields_help.bad_options "ImageField"
end)
