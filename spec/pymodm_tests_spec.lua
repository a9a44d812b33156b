-- docs/pymodm-tests.md: each of PyMODM's tests has a spec that is there, or a reason.
local PAGE = "docs/pymodm-tests.md"
local REASONS = { "^no meaning in Lua: .", "^open: ." }

-- The rows of the page's tables: { file, test, cell }, and the number of PyMODM's files.
local function read_page()
  local rows, files, file = {}, 0, nil
  for line in io.lines(PAGE) do
    local heading = line:match("^## (%S+)$")
    if heading then file, files = heading, files + 1 end
    local test, cell = line:match("^| `(test_[%w_]+)` | .- | (.*) |$")
    if test then rows[#rows + 1] = { file = file, test = test, cell = cell } end
  end
  return rows, files
end

-- The parts of a cell: "`file`: name", with <br> between.
local function parts(cell)
  local list = {}
  for part in (cell .. "<br>"):gmatch("(.-)<br>") do
    local path, name = part:match("^`(spec/[^`]+_spec%.lua)`: (.+)$")
    list[#list + 1] = { text = part, path = path, name = name }
  end
  return list
end

local function reason_of(cell)
  for index, pattern in ipairs(REASONS) do
    if cell:find(pattern) then return index end
  end
end

-- The names of all specs in some files as busted lists them: name -> where its `it` stands.
local function listed(paths)
  local interpreter = arg[-1] or (jit and "luajit" or "lua5.4")
  local busted = assert(io.popen("command -v busted")):read("*l")
  local command = table.concat({ interpreter, busted, "--list", table.concat(paths, " ") }, " ")
  local names, pipe = {}, assert(io.popen(command .. " 2>&1"))
  for line in pipe:lines() do
    local path, name = line:match("^%.?/?(spec/%S-):%d+: (.*)$")
    if path then
      names[name] = names[name] or {}
      names[name][path] = true
    end
  end
  pipe:close()
  return names
end

-- Whether a name is one of a file; what files share stands elsewhere, in no file of specs.
local function is_in(names, part)
  for path in pairs(names[part.name] or {}) do
    if path == part.path or not path:find("_spec%.lua$") then return true end
  end
  return false
end

describe(PAGE, function()
  local rows, files = read_page()

  it("has as many rows as it says, each once", function()
    local text = assert(io.open(PAGE)):read("*a")
    local said, in_files = text:match("(%d+) tests in (%d+) files")
    assert.equal(tonumber(said), #rows)
    assert.equal(tonumber(in_files), files)
    local seen = {}
    for _, row in ipairs(rows) do
      local key = row.file .. " " .. row.test
      assert(not seen[key], key .. " stands there twice")
      seen[key] = true
    end
  end)

  it("counts what has a spec, what has no meaning and what is open", function()
    local counts = { 0, 0 }
    for _, row in ipairs(rows) do
      local reason = reason_of(row.cell)
      if reason then counts[reason] = counts[reason] + 1 end
    end
    local text = assert(io.open(PAGE)):read("*a")
    local covered, none, open = text:match("(%d+) have a spec, (%d+) no meaning in Lua, (%d+) ")
    assert.same({ #rows - counts[1] - counts[2], counts[1], counts[2] },
      { tonumber(covered), tonumber(none), tonumber(open) })
  end)

  it("names specs that are there, or a reason", function()
    local wanted, paths = {}, {}
    for _, row in ipairs(rows) do
      for _, part in ipairs(reason_of(row.cell) and {} or parts(row.cell)) do
        local where = row.file .. " " .. row.test .. ": " .. part.text
        assert(part.path, where .. " is neither a spec nor a reason")
        if wanted[part.path] == nil then paths[#paths + 1] = part.path end
        wanted[part.path] = wanted[part.path] or {}
        table.insert(wanted[part.path], { path = part.path, name = part.name, where = where })
      end
    end
    for _, path in ipairs(paths) do assert(io.open(path), path .. " is not there"):close() end
    local names, missing = listed(paths), {}
    for _, path in ipairs(paths) do
      for _, part in ipairs(wanted[path]) do
        if not is_in(names, part) then missing[#missing + 1] = part.where end
      end
    end
    assert.equal("", table.concat(missing, "\n"))
  end)
end)
