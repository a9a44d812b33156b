-- interop/differences.json: each difference is a row of docs/from-pymodm.md.
local PAGE, LIST = "docs/from-pymodm.md", "interop/differences.json"

local function read(path)
  local file = assert(io.open(path))
  local text = file:read("*a")
  file:close()
  return text
end

describe(LIST, function()
  it("names rows of " .. PAGE, function()
    local rows = {}
    for row in read(PAGE):gmatch("\n| (.-) |") do rows[row] = true end
    local count = 0
    for line in read(LIST):gmatch("\n(    {[^\n]*})") do
      local page = line:match('"page": "(.-[^\\])"')
      assert.truthy(page, "no page: " .. line)
      page = page:gsub('\\"', '"')
      assert.truthy(rows[page], ("%s has no row '%s'"):format(PAGE, page))
      count = count + 1
    end
    assert.is_true(count > 30)
  end)
end)
