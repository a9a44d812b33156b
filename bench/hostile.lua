-- Long texts that are meant to keep validators busy: for bench/validators.lua and its spec.
-- Each case has a name, a field, and a function that makes a text of about n bytes; `taken` where
-- the field takes it, which is then for the server to judge.
local modm = require "modm"
local f = modm.fields

local function fill(before, part, after)
  return function(n)
    return before .. part:rep(math.floor((n - #before - #after) / #part)) .. after
  end
end

local email, strict = f.EmailField, { strict = true }

return {
  { "e-mail: no @", email {}, fill("", "a", "") },
  { "e-mail: many @", email {}, fill("a", "@", "") },
  { "e-mail: blanks before the @", email(strict), fill("", " ", "@a.example") },
  { "e-mail: labels", email(strict), fill("a@", "a.", "") },
  { "e-mail: hyphens", email(strict), fill("a@", "-", ".example") },
  { "e-mail: hyphens between", email(strict), fill("a@", "a-", "a!") },
  { "URL: no ://", f.URLField {}, fill("http", ":", "") },
  { "URL: many ://", f.URLField {}, fill("http", "://", "") },
  { "URL: nearly ://", f.URLField {}, fill("http://a.example/", ":/", "://") },
  { "URL: labels", f.URLField {}, fill("http://", "a.", "!") },
  { "URL: hyphens", f.URLField {}, fill("http://a", "-", ".example") },
  { "URL: digits of a port", f.URLField {}, fill("http://a:", "1", "x") },
  { "URL: colons", f.URLField {}, fill("http://", ":", "/") },
  { "URL: a scheme", f.URLField {}, fill("", "http", "://a.example") },
  { "URL: a blank at the end", f.URLField {}, fill("http://a.example/", "a", " ") },
  { "URL: nearly blanks", f.URLField {},
    fill("http://a.example/", "\xE2\x80\xA0", "\xE2\x80\xA8") },
  { "URL: a path", f.URLField {}, fill("http://a.example/", "a", ""), taken = true },
  { "address: digits", f.GenericIPAddressField {}, fill("", "1", "") },
  { "address: dots", f.GenericIPAddressField {}, fill("", "1.", "") },
  { "address: colons", f.GenericIPAddressField {}, fill("", ":", "") },
  { "address: a zone", f.GenericIPAddressField {}, fill("fe80::1%", "a", "%") },
  { "address: a long zone", f.GenericIPAddressField {}, fill("fe80::1%", "a", ""), taken = true },
  { "UUID: hyphens", f.UUIDField {}, fill("", "-", "") },
  { "UUID: digits", f.UUIDField {}, fill("00000000-0000-0000-0000-", "0", "") },
  { "ObjectId: digits", f.ObjectIdField {}, fill("", "0", "") },
  { "date: digits", f.DateTimeField {}, fill("", "1", "") },
  { "date: a fraction", f.DateTimeField {}, fill("2020-01-01T00:00:00.", "0", "x") },
  { "integer: digits", f.IntegerField {}, fill("", "9", "") },
  { "integer: zeros", f.IntegerField {}, fill("", "0", "x") },
  { "integer: a fraction", f.IntegerField {}, fill("1.", "0", "1") },
  { "integer: blanks", f.BigIntegerField {}, fill("", " ", "x") },
  { "float: digits", f.FloatField {}, fill("1", "9", "x") },
  { "float: a fraction", f.FloatField {}, fill("0.", "0", "1x") },
  { "float: an exponent", f.FloatField {}, fill("1e", "9", "x") },
  { "decimal: digits", f.Decimal128Field {}, fill("", "9", "") },
  { "decimal: a fraction", f.Decimal128Field {}, fill("0.", "0", "1x") },
  { "decimal: an exponent", f.Decimal128Field {}, fill("1e", "9", "") },
  { "text: too long", f.CharField { max_length = 10 }, fill("", "a", "") },
  { "text: not UTF-8", f.CharField {}, fill("", "\xE2\x82", "") },
  { "text: not one of the choices", f.CharField { choices = { "a", "b" } }, fill("", "a", "") },
  { "regular expression: NUL", f.RegularExpressionField {}, fill("", "(a*)*", "\0") },
  { "regular expression: brackets", f.RegularExpressionField {}, fill("", "(", ""), taken = true },
  { "point: a text", f.PointField {}, fill("", "[", "") },
  { "geometry: a text", f.GeometryCollectionField {}, fill("", "[", "") },
}
