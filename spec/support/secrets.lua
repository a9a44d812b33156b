-- That nothing a program can see holds a password: looks through a value, to any depth.
local assert = require "luassert"

local secrets = {
  PASSWORD = "s3cr:t/p@ss word%",
  ENCODED = "s3cr%3At%2Fp%40ss%20word%25", -- the same, as a URI wants it
}

-- Every text within a value, keys too.
local function texts(value, out)
  if type(value) == "table" then
    for k, v in pairs(value) do
      texts(k, out)
      texts(v, out)
    end
  else
    out[#out + 1] = tostring(value)
  end
  return out
end

function secrets.assert_clean(value)
  local all = table.concat(texts(value, {}), "\n")
  for _, secret in ipairs { secrets.PASSWORD, secrets.ENCODED, "s3cr", "p@ss", "p%40ss" } do
    assert.is_nil(all:find(secret, 1, true), all)
  end
end

return secrets
