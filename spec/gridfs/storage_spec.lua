-- GridFSStorage: files and chunks as the GridFS specification has them, in streams.
local core = require "modm.core"
local help = require "spec.gridfs.help"
local modm = require "modm"

local ALIAS = "gridfs"
local K = 1024

describe("GridFSStorage", function()
  local conn, storage, small

  setup(function() conn = help.connect(ALIAS) end)
  teardown(function() modm.disconnect(ALIAS) end)

  before_each(function()
    help.command(conn, { { "dropDatabase", 1 } })
    storage = modm.GridFSStorage { connection_alias = ALIAS }
    small = modm.GridFSStorage { connection_alias = ALIAS, bucket_name = "small", chunk_size = 10 }
  end)

  local function read(from, id)
    local file = assert(from:open(id))
    local text = assert(file:read "a")
    file:close()
    return text
  end

  describe("stores", function()
    it("documents with PyMODM's keys, in their order and of their types", function()
      local id = assert(storage:save("a.txt", "hello", core.ordered { { "z", 1 }, { "a", 2 } }))
      local file = help.documents(conn, "fs.files")[1]
      local chunk = help.documents(conn, "fs.chunks")[1]
      local bytes = core.encode(core.ordered {
        { "_id", id }, { "filename", "a.txt" }, { "encoding", "utf8" },
        { "metadata", core.ordered { { "z", 1 }, { "a", 2 } } }, { "chunkSize", 255 * K },
        { "length", modm.Int64(5) }, { "uploadDate", file.uploadDate },
      })
      assert.equal(bytes, core.encode(file))
      assert.equal("DateTime", modm.type(file.uploadDate))
      assert.is_true(math.abs(file.uploadDate - modm.DateTime.now()) < 60)
      assert.equal(core.encode(core.ordered { { "_id", chunk._id }, { "files_id", id }, { "n", 0 },
        { "data", modm.Binary "hello" } }), core.encode(chunk))
      assert.equal("ObjectId", modm.type(chunk._id))
    end)

    it("no key that was not given", function()
      assert(storage:save(nil, "x"))
      local file = help.documents(conn, "fs.files")[1]
      assert.is_nil(file.filename)
      assert.is_nil(file.metadata)
      assert.is_nil(file.contentType)
      assert.is_nil(file.md5)
    end)

    it("a type of content, an id and a size of chunks that were given", function()
      assert.equal("the id", storage:save("a", "abcde", nil,
        { id = "the id", content_type = "text/plain", chunk_size = 2 }))
      local file = assert(storage:open "the id")
      assert.equal("text/plain", file.content_type)
      assert.equal(2, file.chunk_size)
      assert.same({ 1, 3 }, help.counts(conn))
      assert.equal("abcde", file:read "a")
    end)

    it("chunks of the size, the last with what is left, and none for an empty file", function()
      for length, chunks in pairs { [0] = 0, [1] = 1, [9] = 1, [10] = 1, [11] = 2, [30] = 3 } do
        local text = ("0123456789"):rep(3):sub(1, length)
        local id = assert(small:save("x", text))
        assert.equal(text, read(small, id))
        assert.same({ 1, chunks }, help.counts(conn, "small"))
        for i, chunk in ipairs(help.documents(conn, "small.chunks")) do
          assert.equal(i - 1, chunk.n)
        end
        assert(small:delete(id))
      end
    end)

    it("the two indexes, with the first file only", function()
      local started = {}
      local off = modm.on("command", function(event)
        if event.phase == "started" then started[#started + 1] = event.name end
      end)
      assert(storage:save("a", "x"))
      assert(storage:save("b", "x"))
      assert(modm.GridFSStorage { connection_alias = ALIAS }:save("c", "x"))
      off()
      assert.equal("find createIndexes createIndexes insert insert insert insert find insert "
        .. "insert", table.concat(started, " "))
      local function indexes(name)
        local list = {}
        for _, index in ipairs(help.command(conn, { { "listIndexes", name } }).cursor.firstBatch) do
          list[index.name] = index.unique or false
        end
        return list
      end
      assert.same({ _id_ = false, filename_1_uploadDate_1 = false }, indexes "fs.files")
      assert.same({ _id_ = false, files_id_1_n_1 = true }, indexes "fs.chunks")
    end)

    it("what a file object reads, from its beginning where it can seek", function()
      local file = io.tmpfile()
      file:write(("x"):rep(300 * K))
      assert.equal(300 * K, #read(storage, (assert(storage:save("io", file)))))
      file:close()
      local n = 0
      local source = help.source(function()
        n = n + 1
        return n <= 3 and ("part%d;"):format(n) or nil
      end)
      assert.equal("part1;part2;part3;", read(storage, (assert(storage:save("own", source)))))
    end)

    it("with the write concern that it was given", function()
      local seen
      local off = modm.on("command", function(event)
        if event.phase == "started" and event.name == "insert" then
          seen = event.command.writeConcern
        end
      end)
      assert(modm.GridFSStorage { connection_alias = ALIAS, write_concern = { w = 1, j = true } }
        :save("x", "y"))
      off()
      assert.same({ w = 1, j = true }, { w = seen.w, j = seen.j })
    end)
  end)

  describe("a writer", function()
    it("takes pieces of any size, and the file is there when it is closed", function()
      local file = assert(small:create("x", { metadata = { a = 1 } }))
      assert.equal(file, file:write("abc", 12, "defghijklmnopqrstuvwxyz"))
      assert(file:write "")
      assert.is_false(small:exists(file.id))
      assert.same({ 0, 2 }, help.counts(conn, "small"))
      assert.equal(28, file.length)
      assert.equal(file.id, file:close())
      assert.equal("abc12defghijklmnopqrstuvwxyz", read(small, file.id))
      assert.error_matches(function() file:write "x" end, "write on a file that is closed")
      assert.error_matches(function() file:close() end, "close on a file that is closed")
      assert.is_true(file:abort()) -- too late
      assert.is_true(small:exists(file.id))
    end)

    it("is opened under an id, too", function()
      local file = assert(small:open(7, "wb", { filename = "seven" }))
      assert(file:write "x")
      assert.equal(7, file:close())
      assert.equal("seven", small:open(7).filename)
    end)

    it("that has the id of another file leaves that one alone", function()
      assert(small:save("old", ("o"):rep(25), nil, { id = 7 }))
      local id, message, err = small:save("new", ("n"):rep(25), nil, { id = 7 })
      assert.is_nil(id)
      assert.matches("duplicate key", message)
      assert.equal("DuplicateKeyError", err.kind)
      assert.equal(("o"):rep(25), read(small, 7))
      assert(small:save("old", "", nil, { id = 8 }))
      assert.equal("DuplicateKeyError", select(3, small:save("new", "", nil, { id = 8 })).kind)
      assert.equal("", read(small, 8))
    end)

    it("that is aborted leaves nothing", function()
      local file = assert(small:create "x")
      assert(file:write(("x"):rep(25)))
      assert.same({ 0, 2 }, help.counts(conn, "small"))
      assert.is_true(file:abort())
      assert.same({ 0, 0 }, help.counts(conn, "small"))
      assert.is_true(file:abort())
      assert.error_matches(function() file:write "x" end, "closed")
    end)

    it("that is collected leaves nothing once another begins", function()
      local file = assert(small:create "x")
      assert(file:write(("x"):rep(25)))
      file = nil -- luacheck: ignore
      collectgarbage()
      collectgarbage()
      assert.same({ 0, 2 }, help.counts(conn, "small"))
      assert(small:save("y", "y"))
      assert.same({ 1, 1 }, help.counts(conn, "small"))
    end)

    if _VERSION == "Lua 5.4" then
      it("ends with its block, and is given up when an error ends it", function()
        local run = load [[
          local small, raised = ...
          local file <close> = small:create "x"
          assert(file:write(("x"):rep(25)))
          if raised then error "oops" end
        ]]
        assert.error_matches(function() run(small, true) end, "oops")
        assert.same({ 0, 0 }, help.counts(conn, "small"))
        run(small, false)
        assert.same({ 1, 3 }, help.counts(conn, "small"))
      end)
    end
  end)

  describe("a reader", function()
    local text = "first\nsecond line\n\nlast"
    local file

    before_each(function()
      local id = assert(small:save("lines", text, { of = "lines" }, { content_type = "text/x" }))
      file = assert(small:open(id, "rb"))
    end)

    it("knows the file", function()
      assert.same({ "lines", "lines", #text, #text, 10, "text/x", { of = "lines" } },
        { file.filename, file.name, file.length, file.size, file.chunk_size, file.content_type,
          { of = file.metadata.of } })
      assert.equal("DateTime", modm.type(file.upload_date))
      assert.equal(file.id, small:open(file.id).id)
    end)

    it("reads as Lua's io does", function()
      local path = os.tmpname()
      local out = io.open(path, "wb")
      out:write(text)
      out:close()
      for _, formats in ipairs {
        {}, { "l" }, { "L" }, { "a" }, { "*a" }, { "*l" }, { 0 }, { 1 }, { 7 }, { 10 }, { 11 },
        { 1000 }, { 3, "l", "L", 0, "l", "a" }, { "a", "a", "l", "a" }, { "a", 0 }, { "l", "l",
          "l", "l", "l", "l" },
      } do
        local expected = io.open(path, "rb")
        local unpack = table.unpack or unpack -- luacheck: ignore
        for _ = 1, 6 do
          assert.same({ n = 0, expected:read(unpack(formats)) }, { n = 0,
            file:read(unpack(formats)) })
        end
        assert.equal(expected:seek(), file:seek())
        expected:close()
        file:seek("set", 0)
      end
      os.remove(path)
    end)

    it("iterates over lines, or what another format gives", function()
      local lines = {}
      for line in file:lines() do lines[#lines + 1] = line end
      assert.same({ "first", "second line", "", "last" }, lines)
      file:seek "set"
      lines = {}
      for part in file:lines(9) do lines[#lines + 1] = part end
      assert.same({ "first\nsec", "ond line\n", "\nlast" }, lines)
    end)

    it("seeks from the beginning, from where it is and from the end", function()
      assert.equal(0, file:seek())
      assert.equal(#text - 4, file:seek("end", -4))
      assert.equal("last", file:read "a")
      assert.equal(6, file:seek("set", 6))
      assert.equal("second", file:read(6))
      assert.equal(9, file:seek("cur", -3))
      assert.equal("ond", file:read(3))
      assert.same({ nil, "cannot seek before the beginning of a file" }, { file:seek("set", -1) })
      assert.equal(12, file:seek())
      assert.equal(1000, file:seek("set", 1000))
      assert.is_nil(file:read(1))
      assert.equal("", file:read "a")
    end)

    it("fetches the chunks that it reads and no others", function()
      local id = assert(small:save("many", ("0123456789"):rep(100)))
      local started = {}
      local off = modm.on("command", function(event)
        if event.phase == "started" then started[#started + 1] = event.command end
      end)
      local many = assert(small:open(id))
      assert.equal(995, many:seek("end", -5))
      assert.equal("56789", many:read "a")
      off()
      assert.equal(2, #started)
      assert.equal(99, started[2].filter.n["$gte"])
      assert.equal(8, started[2].batchSize)
    end)

    it("refuses what it cannot do, where it is asked", function()
      for _, case in ipairs {
        { function() file:read "n" end, "read takes a count" },
        { function() file:read(-1) end, "count of bytes" },
        { function() file:read(1.5) end, "count of bytes" },
        { function() file:read {} end, "read takes a count" },
        { function() file:seek "middle" end, "seek takes" },
      } do
        local ok, err = pcall(case[1])
        assert.is_false(ok)
        assert.matches("^%S*storage_spec.lua:%d+: ", err)
        assert.matches(case[2], err)
      end
      assert.is_true(file:close())
      assert.is_true(file:close())
      assert.error_matches(function() file:read() end, "read on a file that is closed")
      assert.error_matches(function() file:seek() end, "closed")
      assert.error_matches(function() file:lines() end, "closed")
    end)

    it("opens its cursor again when the server forgot it", function()
      local id = assert(small:save("many", ("0123456789"):rep(100)))
      local many = assert(small:open(id))
      assert.equal(("0123456789"):rep(8), many:read(80))
      help.failpoint(conn, { times = 1 }, { failCommands = core.array { "getMore" },
        errorCode = 43 })
      assert.equal(("0123456789"):rep(92), many:read "a")
    end)
  end)

  describe("damage", function()
    local id, damaged

    local function change(which, query, update)
      help.command(conn, { { "update", "small." .. which }, { "updates", core.array {
        core.ordered { { "q", query }, { "u", update } } } } })
    end

    local function remove(n)
      help.command(conn, { { "delete", "small.chunks" }, { "deletes", core.array {
        core.ordered { { "q", { n = n } }, { "limit", 0 } } } } })
    end

    for _, case in ipairs {
      { "a missing first chunk", function() remove(0) end, "chunk 0 is missing" },
      { "a missing chunk", function() remove(1) end, "chunk 1 is missing" },
      { "a missing last chunk", function() remove(2) end, "chunk 2 is missing" },
      { "a chunk that is short", function()
        change("chunks", { n = 1 }, { ["$set"] = { data = modm.Binary "short" } })
      end, "chunk 1 has 5 bytes instead of 10" },
      { "a chunk that is long", function()
        change("chunks", { n = 1 }, { ["$set"] = { data = modm.Binary "01234567890" } })
      end, "chunk 1 has 11 bytes instead of 10" },
      { "a last chunk that is long", function()
        change("chunks", { n = 2 }, { ["$set"] = { data = modm.Binary "0123456" } })
      end, "chunk 2 has 7 bytes instead of 5" },
      { "a chunk too many", function()
        help.command(conn, { { "insert", "small.chunks" }, { "documents", core.array {
          { files_id = id, n = 3, data = modm.Binary "x" } } } })
      end, "it has a chunk 3 behind its end" },
      { "a chunk that holds no bytes", function()
        change("chunks", { n = 0 }, { ["$set"] = { data = "0123456789" } })
      end, "chunk 0 holds no bytes" },
    } do
      it(case[1] .. " is an error that says so", function()
        id = assert(small:save("x", ("0123456789"):rep(3):sub(1, 25)))
        case[2]()
        local file = assert(small:open(id))
        local data, message, err = file:read "a"
        assert.is_nil(data)
        assert.equal(("the file %s in the bucket 'small' is damaged: %s"):format(tostring(id),
          case[3]), message)
        assert.equal("CorruptGridFile", err.kind)
        assert.has_error(function()
          for _ in assert(small:open(id)):lines() do damaged = true end
        end)
        assert.is_nil(damaged)
      end)
    end

    it("of the file's document is an error, too", function()
      for _, update in ipairs { { length = "x" }, { length = -1 }, { chunkSize = 0 },
        { length = 1.5 } } do
        id = assert(small:save("x", "y"))
        change("files", { _id = id }, { ["$set"] = update })
        local file, message = small:open(id)
        assert.is_nil(file)
        assert.matches("no length or no chunkSize", message)
      end
    end)

    it("is not an empty chunk behind the end, nor a length of another type of number", function()
      id = assert(small:save("x", "0123456789"))
      help.command(conn, { { "insert", "small.chunks" }, { "documents", core.array {
        { files_id = id, n = 1, data = modm.Binary "" } } } })
      change("files", { _id = id }, { ["$set"] = { length = modm.Int64(10), chunkSize = 10.0 } })
      assert.equal("0123456789", read(small, id))
    end)
  end)

  describe("an upload that is cut", function()
    local function fails(source, pattern, kind)
      local id, message, err = small:save("x", source)
      assert.is_nil(id)
      assert.matches(pattern, message)
      assert.equal(kind, err.kind)
      assert.same({ 0, 0 }, help.counts(conn, "small"))
    end

    local function after(n, what)
      local i = 0
      return help.source(function()
        i = i + 1
        if i > n then return what() end
        return ("x"):rep(25)
      end)
    end

    it("by its source leaves nothing", function()
      fails(after(3, function() error "the disk is gone" end),
        "^the upload was cut: its source failed: the disk is gone$", "OperationError")
      fails(after(3, function() return nil, "bad sector" end), "its source failed: bad sector$",
        "OperationError")
      fails(after(0, function() return nil, "bad sector", 5 end), "its source failed: ",
        "OperationError")
      fails(after(2, function() return 5 end), "read gave a number instead of a string",
        "OperationError")
    end)

    it("by the server leaves nothing", function()
      for skip = 0, 3 do
        assert(small:save("first", ""))
        for _, id in ipairs(help.documents(conn, "small.files")) do assert(small:delete(id._id)) end
        help.failpoint(conn, { skip = skip }, { failCommands = core.array { "insert" },
          errorCode = 14031 })
        local id, message, err = small:save("x", ("x"):rep(25))
        help.failpoint(conn, "off")
        assert.is_nil(id)
        assert.matches("fail", message:lower())
        assert.equal(14031, err.code)
        assert.same({ 0, 0 }, help.counts(conn, "small"))
      end
    end)

    it("ends its writer", function()
      local file = assert(small:create "x")
      help.failpoint(conn, { skip = 1 }, { failCommands = core.array { "insert" },
        errorCode = 14031 })
      local ok, message, err = file:write(("x"):rep(35))
      help.failpoint(conn, "off")
      assert.is_nil(ok)
      assert.is_string(message)
      assert.equal("ServerError", err.kind)
      assert.error_matches(function() file:write "x" end, "closed")
      assert.same({ 0, 0 }, help.counts(conn, "small"))
    end)

    it("whose chunks cannot be deleted at once loses them before the next one", function()
      help.failpoint(conn, { skip = 2 }, { failCommands = core.array { "insert", "delete" },
        errorCode = 14031 })
      assert.is_nil((small:save("x", ("x"):rep(35))))
      help.failpoint(conn, "off")
      assert.same({ 0, 2 }, help.counts(conn, "small"))
      assert(small:save("y", "y"))
      assert.same({ 1, 1 }, help.counts(conn, "small"))
    end)
  end)

  it("says whether a file is there, and deletes it; twice is no error", function()
    local id, other = assert(small:save("x", ("x"):rep(25))), assert(small:save("y", "y"))
    assert.is_true(small:exists(id))
    assert.is_true(small:delete(id))
    assert.is_false(small:exists(id))
    assert.is_true(small:delete(id))
    assert.equal("y", read(small, other))
    assert.same({ 1, 1 }, help.counts(conn, "small"))
    local file, message, err = small:open(id)
    assert.is_nil(file)
    assert.equal("No file with id: " .. tostring(id), message)
    assert.equal("DoesNotExist", err.kind)
  end)

  it("says that its connection is missing", function()
    local lost = modm.GridFSStorage { connection_alias = "lost" }
    for _, call in ipairs {
      function() return lost:save("x", "y") end, function() return lost:create "x" end,
      function() return lost:open(1) end, function() return lost:delete(1) end,
      function() return lost:exists(1) end,
    } do
      local ok, message, err = call()
      assert.is_nil(ok)
      assert.matches("no connection 'lost'", message)
      assert.equal("ConfigurationError", err.kind)
    end
  end)

  it("refuses misuse where it is", function()
    for _, case in ipairs {
      { function() modm.GridFSStorage { bucket = "x" } end, "no option 'bucket'" },
      { function() modm.GridFSStorage { chunk_size = 0 } end, "chunk_size must be from 1" },
      { function() modm.GridFSStorage { chunk_size = 2 ^ 24 } end, "chunk_size must be from 1" },
      { function() modm.GridFSStorage { chunk_size = "1" } end, "chunk_size" },
      { function() storage:save("x") end, "takes a string or a file object with read, not a nil" },
      { function() storage:save("x", 5) end, "not a number" },
      { function() storage:save("x", {}) end, "not a table" },
      { function() storage:save(5, "x") end, "the name of a file must be a string" },
      { function() storage:save("x", "y", "z") end, "metadata" },
      { function() storage:open() end, "open takes the id" },
      { function() storage:open(1, "a") end, 'is opened with "rb" or "wb", not "a"' },
      { function() storage:delete() end, "delete takes the id" },
      { function() storage:exists() end, "exists takes the id" },
      { function() storage:create("x", { colour = 1 }) end, "no option 'colour'" },
      { function() storage:create("x"):write {} end, "write takes strings, not a table" },
    } do
      local ok, err = pcall(case[1])
      assert.is_false(ok)
      assert.matches("^%S*storage_spec.lua:%d+: ", tostring(err))
      assert.matches(case[2], tostring(err))
    end
  end)
end)
