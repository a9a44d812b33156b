-- The proxy of proxy.lua, a program: lua5.4 proxy_program.lua PORT CONTROL_PORT SERVER_PORT
-- Takes MongoDB's wire apart into messages, and does with a request or its reply what a rule says.
-- The control port takes lines: rule COMMAND SKIP TIMES ACTION NUMBER | count COMMAND | release |
-- reset; each is answered by one line.
local socket = require "socket"

local OP_QUERY, OP_MSG, HEADER = 2004, 2013, 16
local port, control_port, server_port = tonumber(arg[1]), tonumber(arg[2]), tonumber(arg[3])

local rules, counts, held = {}, {}, {}
local ends = {} -- by socket: the two ends of each connection, and the controllers

-- ---- what goes out ----

-- A piece to send: { data, slice = bytes at a time, due = time }, or { close = true }.
local function enqueue(to, piece)
  piece.at = 1
  to.out[#to.out + 1] = piece
end

local function close(one)
  for _, which in ipairs { one, one.other } do
    if ends[which.socket] then
      ends[which.socket] = nil
      which.socket:close()
    end
  end
end

-- Sends what the socket takes of the first piece.
local function flush(one)
  local piece = one.out[1]
  if piece.close then return close(one) end
  local last = piece.slice and math.min(piece.at + piece.slice - 1, #piece.data) or #piece.data
  local sent, why, part = one.socket:send(piece.data, piece.at, last)
  if not sent and why ~= "timeout" then return close(one) end
  piece.at = (sent or part) + 1
  if piece.at > #piece.data then table.remove(one.out, 1) end
end

-- ---- what comes in ----

-- The name of a request's command, or "?".
local function command_of(message)
  local code = ("<i4"):unpack(message, 13)
  local at
  if code == OP_QUERY then
    at = select(2, ("<z"):unpack(message, HEADER + 5)) + 8
  elseif code == OP_MSG then
    at = HEADER + 5
    while message:byte(at) == 1 do at = at + 1 + ("<i4"):unpack(message, at + 1) end
    at = at + 1
  else
    return "?"
  end
  return (("<z"):unpack(message, at + 5))
end

-- The rule for a command that was just counted; one rule at most has its turn.
local function rule_for(command)
  counts[command] = (counts[command] or 0) + 1
  for _, rule in ipairs(rules) do
    if rule.command == command or rule.command == "*" then
      if rule.skip > 0 then
        rule.skip = rule.skip - 1
      elseif rule.times ~= 0 then
        rule.times = rule.times - 1
        return rule
      end
    end
  end
end

local slice_all -- bytes, for all that goes by

local function forward(from, message, due)
  enqueue(from.other, { data = message, slice = slice_all, due = due })
end

-- What is done with a request; the actions that concern its reply are kept until that comes.
local on_request = {
  close = function(from) close(from) end,
  silence = function() end,
  hold = function(from, message) held[#held + 1] = { from, message } end,
}

local on_reply = {
  close_after = function(from) close(from) end,
  silence_after = function() end,
  half = function(from, message)
    forward(from, message:sub(1, #message // 2))
    enqueue(from.other, { close = true })
  end,
  delay = function(from, message, ms) forward(from, message, socket.gettime() + ms / 1000) end,
}

local function take_request(from, message)
  local rule = rule_for(command_of(message))
  if rule and on_request[rule.action] then return on_request[rule.action](from, message) end
  if rule then from.other.rules[("<i4"):unpack(message, 5)] = rule end
  forward(from, message)
end

local function take_reply(from, message)
  local request = ("<i4"):unpack(message, 9)
  local rule = from.rules[request]
  from.rules[request] = nil
  if rule then return on_reply[rule.action](from, message, rule.number) end
  forward(from, message)
end

-- Reads what is there, and hands on every message that is whole.
local function read_messages(one)
  local data, why, part = one.socket:receive(65536)
  data = data or part
  if #data > 0 then
    one.parts[#one.parts + 1] = data
    one.length = one.length + #data
    while one.length >= (one.need or 4) do
      local all = table.concat(one.parts)
      one.need = ("<i4"):unpack(all)
      one.parts = { all }
      if one.length < one.need then break end
      local message = all:sub(1, one.need)
      one.parts, one.length, one.need = { all:sub(#message + 1) }, #all - #message, nil
      one.take(one, message)
      if not ends[one.socket] then return end
    end
  end
  if why == "closed" then
    one.eof = true
    enqueue(one.other, { close = true })
  end
end

-- ---- connections ----

local function new_end(of, read, take)
  of:settimeout(0)
  of:setoption("tcp-nodelay", true)
  local one = { socket = of, read = read, take = take, out = {}, parts = {}, length = 0,
    rules = {} }
  ends[of] = one
  return one
end

local function accept_client(listener)
  local client = listener:accept()
  if not client then return end
  local rule = rule_for "connect"
  if rule and rule.action == "close" then return client:close() end
  local server = not (rule and rule.action == "silence")
    and socket.connect("127.0.0.1", server_port)
  if not server and not rule then return client:close() end
  local a = new_end(client, read_messages, take_request)
  local b = server and new_end(server, read_messages, take_reply) or { out = {}, socket = {} }
  a.other, b.other = b, a
end

-- ---- control ----

local control = {}

function control.rule(command, skip, times, action, number)
  if action == "slice" then
    slice_all = tonumber(number)
  else
    assert(on_request[action] or on_reply[action], action)
    rules[#rules + 1] = { command = command, skip = tonumber(skip), times = tonumber(times),
      action = action, number = tonumber(number) }
  end
end

function control.count(command) return counts[command] or 0 end

function control.release()
  for _, one in ipairs(held) do
    if ends[one[1].socket] then forward(one[1], one[2]) end
  end
  held = {}
end

function control.reset()
  rules, counts, slice_all = {}, {}, nil
  control.release()
end

local function read_control(one)
  local line, why = one.socket:receive "*l"
  if not line then
    if why == "closed" then
      ends[one.socket] = nil
      one.socket:close()
    end
    return
  end
  local words = {}
  for word in line:gmatch "%S+" do words[#words + 1] = word end
  enqueue(one, { data = tostring(control[words[1]](table.unpack(words, 2)) or "ok") .. "\n" })
end

local function accept_controller(listener)
  local one = listener:accept()
  if one then
    local controller = new_end(one, read_control)
    controller.other = { socket = {} }
  end
end

-- ---- the loop ----

local listeners = {}
for number, accept in pairs { [port] = accept_client, [control_port] = accept_controller } do
  local listener = assert(socket.bind("127.0.0.1", number, 128))
  listener:settimeout(0)
  listeners[listener] = accept
end

while true do
  local readers, writers, now, wait = {}, {}, socket.gettime(), 10
  for listener in pairs(listeners) do readers[#readers + 1] = listener end
  for of, one in pairs(ends) do
    if not one.eof then readers[#readers + 1] = of end
    local piece = one.out[1]
    local due = piece and (piece.due or now)
    if due and due <= now then writers[#writers + 1] = of end
    if due and due > now then wait = math.min(wait, due - now) end
  end
  local readable, writable = socket.select(readers, writers, wait)
  for _, of in ipairs(readable) do
    if listeners[of] then listeners[of](of) elseif ends[of] then ends[of].read(ends[of]) end
  end
  for _, of in ipairs(writable) do
    if ends[of] and ends[of].out[1] then flush(ends[of]) end
  end
end
