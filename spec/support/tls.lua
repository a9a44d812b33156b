-- TLS for specs: a CA, certificates good and bad, a mongod that asks for TLS and for a user, and a
-- listener that has but a certificate. All of it lies in a folder of its own and goes with stop().
local core = require "modm.core"
local process = require "spec.support.process"
local secrets = require "spec.support.secrets"
local server = require "spec.support.server"

local tls = {
  PASSWORD = secrets.PASSWORD, -- of the users ann (SCRAM-SHA-256) and old (SCRAM-SHA-1)
  SUBJECT = "CN=ann,OU=clients,O=modm spec", -- the user of client.pem (x.509)
  SET = "tls", -- the replica set
}

local function run(format, ...)
  local command = "env -u LD_PRELOAD " .. format:format(...)
  local pipe = assert(io.popen(command .. " 2>&1 && echo made"))
  local said = pipe:read("*a")
  pipe:close()
  assert(said:find("made\n$"), command .. "\n" .. said)
end

local NEW_KEY = "-newkey ec -pkeyopt ec_paramgen_curve:P-256"

local function authority(folder, name)
  run("openssl req -x509 %s -nodes -keyout %s/%s.key -out %s/%s.pem -days 30 "
    .. "-subj '/O=modm spec/CN=%s'", NEW_KEY, folder, name, folder, name, name)
end

-- Makes NAME.pem, key and certificate in one file.
local function certificate(folder, name, options)
  local at = folder .. "/" .. name
  run("openssl req -new %s -nodes -keyout %s.key -out %s.csr -subj '%s'", NEW_KEY, at, at,
    options.subject)
  local file = assert(io.open(at .. ".ext", "w"))
  file:write(options.names and "subjectAltName=" .. options.names or "basicConstraints=CA:FALSE")
  file:close()
  run("openssl x509 -req -in %s.csr -CA %s/%s.pem -CAkey %s/%s.key -CAcreateserial -days %d "
    .. "-extfile %s.ext -out %s.crt", at, folder, options.ca or "ca", folder, options.ca or "ca",
    options.days or 30, at, at)
  if options.password then
    run("openssl pkey -in %s.key -aes256 -passout 'pass:%s' -out %s.locked", at, options.password,
      at)
    run("mv %s.locked %s.key", at, at)
  end
  run("sh -c 'cat %s.key %s.crt >%s.pem'", at, at, at)
end

local HERE = "DNS:localhost,IP:127.0.0.1"

-- Makes the files: ca.pem and foreign_ca.pem; of servers good.pem, expired.pem, foreign.pem (of the
-- foreign CA), wrong_host.pem; of clients client.pem, locked.pem (the same with tls.PASSWORD on its
-- key) and foreign_client.pem.
---@return { folder: string, path: (fun(name: string): string), remove: fun() }
function tls.files()
  local folder = process.folder "tls"
  local here, client = "/O=modm spec/OU=servers/CN=localhost", "/O=modm spec/OU=clients/CN=ann"
  authority(folder, "ca")
  authority(folder, "foreign_ca")
  certificate(folder, "good", { subject = here, names = HERE })
  certificate(folder, "expired", { subject = here, names = HERE, days = -1 })
  certificate(folder, "foreign", { subject = here, names = HERE, ca = "foreign_ca" })
  certificate(folder, "wrong_host", { subject = "/O=modm spec/OU=servers/CN=elsewhere.example",
    names = "DNS:elsewhere.example" })
  certificate(folder, "client", { subject = client })
  certificate(folder, "locked", { subject = client, password = tls.PASSWORD })
  certificate(folder, "foreign_client", { subject = client, ca = "foreign_ca" })
  return {
    folder = folder,
    path = function(name) return folder .. "/" .. name end,
    remove = function() os.execute("rm -rf " .. folder) end,
  }
end

-- One command to `admin`, tried again while the set has no primary yet.
local function admin(uri, command)
  local client = assert(core.client(uri))
  local op = core.command(client, "write", "admin", core.ordered(command))
  local ok, failed = op:run(), nil
  if not ok then failed = op:error() end
  client:close()
  if not ok then error(failed.message, 2) end
end

local function initiate(own)
  admin(own.address("admin", "directConnection=true"), { { "replSetInitiate", {
    _id = tls.SET, members = core.array { { _id = 0, host = "localhost:" .. own.port } } } } })
end

-- The first user comes in by the server's exception for its own host.
local function create_users(own)
  local roles = core.array { "root" }
  admin(own.address("admin"), { { "createUser", "ann" }, { "pwd", tls.PASSWORD },
    { "roles", roles }, { "mechanisms", core.array { "SCRAM-SHA-256" } } })
  local uri = own.scram("admin")
  admin(uri, { { "createUser", "old" }, { "pwd", tls.PASSWORD }, { "roles", roles },
    { "mechanisms", core.array { "SCRAM-SHA-1" } } })
  local client = assert(core.client(uri))
  local op = core.command(client, "write", "$external", core.ordered {
    { "createUser", tls.SUBJECT },
    { "roles", core.array { core.ordered { { "role", "root" }, { "db", "admin" } } } } })
  assert(op:run(), "createUser in $external")
  client:close()
end

local function key_file(path)
  local file = assert(io.open(path, "w"))
  file:write(("modm"):rep(16))
  file:close()
  run("chmod 600 %s", path)
end

-- The URIs of a server: `address` without a user, `scram` with one (ann where none is named),
-- `x509`.
local function add_uris(own, files)
  local function uri(user, database, ...)
    local options = { "tls=true&tlsCAFile=" .. files.path "ca.pem", ... }
    return ("mongodb://%slocalhost:%d/%s?%s"):format(user, own.port, database,
      table.concat(options, "&"))
  end
  local set = "replicaSet=" .. tls.SET
  function own.address(database, more) return uri("", database, more or set) end
  function own.scram(database, more, user)
    return uri((user or "ann") .. ":" .. secrets.ENCODED .. "@", database,
      set .. "&authSource=admin", more)
  end
  function own.x509(database, more)
    return uri("", database, set .. "&authMechanism=MONGODB-X509&authSource=$external",
      more or "tlsCertificateKeyFile=" .. files.path "client.pem")
  end
end

-- Starts a mongod that takes nothing but TLS, as a replica set of one (so that it has
-- transactions), with the users ann, old and tls.SUBJECT; nil where there is no binary. With the
-- name of another certificate than "good" there are no users, and the set is not initiated.
---@param certificate_name string|nil
---@return table|nil own { port, pid, files, stop = f, address = f, scram = f, x509 = f }
function tls.start(certificate_name)
  local files = tls.files()
  key_file(files.path "keyfile")
  local own = server.start(table.concat({
    "--replSet", tls.SET, "--auth --keyFile", files.path "keyfile",
    "--tlsMode requireTLS --tlsAllowConnectionsWithoutCertificates",
    "--tlsCertificateKeyFile", files.path((certificate_name or "good") .. ".pem"),
    "--tlsCAFile", files.path "ca.pem",
  }, " "))
  if not own then
    files.remove()
    return nil
  end
  local stop = own.stop
  function own.stop()
    stop()
    files.remove()
  end
  own.files = files
  add_uris(own, files)
  if not certificate_name then
    initiate(own)
    create_users(own)
  end
  return own
end

-- Listens with a certificate that mongod itself would not start with: { port, stop = f }. It says
-- nothing once a client has taken the certificate.
function tls.listen(files, name)
  local port = process.free_port()
  local child = process.start(("openssl s_server -www -accept 127.0.0.1:%d -cert %s -key %s")
    :format(port, files.path(name .. ".crt"), files.path(name .. ".key")), files.path "log")
  process.wait_for("openssl s_server", 30, function() return process.listens(port) end)
  return { port = port, stop = function() child:stop() end }
end

return tls
