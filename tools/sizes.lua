-- Fails for files, functions and lines that outgrew the house, and for a file that does not say
-- what lives in it: lua5.4 tools/sizes.lua FILE...
local LINES, FUNCTION, COLUMNS = 400, 60, 100
local bad = 0

local function complain(file, line, format, ...)
  bad = bad + 1
  io.stderr:write(("%s:%d: " .. format .. "\n"):format(file, line, ...))
end

-- Characters, not bytes, of a line; bytes where it is not UTF-8.
local function width(line)
  return utf8.len(line) or #line
end

-- The first line, or the one below `#!`, is a comment with some words.
local function says_what(lines, c)
  local first = lines[1] or ""
  if first:match("^#!") then
    first = lines[2] or ""
  end
  local text = first:match(c and "^/%*+%s*(.*)" or "^%-%-%s*(.*)") or first:match("^#%s*(.*)")
  return text ~= nil and text:match("%w+%s+%w+") ~= nil
end

-- A body that is one switch: nothing but declarations before it, and a return or nothing after it.
local function is_one_switch(lines, from, to)
  local open, close
  for i = from + 1, to - 1 do
    if lines[i]:match("^%s+switch ?%(") and not open then
      open = i
      local indent = lines[i]:match("^%s+")
      for j = i + 1, to - 1 do
        if lines[j] == indent .. "}" then
          close = j
          break
        end
      end
    end
  end
  return open and close and open - from <= 10 and to - close <= 5
end

-- A function's body stands between a `{` and a `}` of their own, in the first column.
local function check_functions(file, lines)
  local from
  for i, line in ipairs(lines) do
    if line == "{" then
      from = i
    elseif line == "}" and from then
      local length = i - from - 1
      if length > FUNCTION and not is_one_switch(lines, from, i) then
        complain(file, from, "a function of %d lines (%d at most)", length, FUNCTION)
      end
      from = nil
    end
  end
end

for _, file in ipairs(arg) do
  local lines = {}
  for line in io.lines(file) do
    lines[#lines + 1] = line
    if width(line) > COLUMNS then
      complain(file, #lines, "%d columns (%d at most)", width(line), COLUMNS)
    end
  end
  local c = file:match("%.[ch]$") ~= nil
  if not says_what(lines, c) then
    complain(file, 1, "the first line does not say what lives in the file")
  end
  if c then
    if #lines > LINES then
      complain(file, #lines, "a file of %d lines (%d at most)", #lines, LINES)
    end
    check_functions(file, lines)
  end
end
print(("sizes: %d files, %d complaints"):format(#arg, bad))
os.exit(bad == 0)
