-- Judges connect: a client or a message, and the password in no message, name or line of the log.
local core = require "modm.core"

local keys = {
  "localhost", "h:27017", "[::1]", "/", "/db", "?", "&", "=", ",", "@", ":", "%40", "%2F", "%",
  "%00", "db.c", "replicaSet", "replicaSet=rs", "tls=true", "w=majority",
  "readPreference=secondary", "readPreferenceTags=dc:ny", "authSource=admin",
  "authMechanism=SCRAM-SHA-256", "authMechanism=MONGODB-X509", "authMechanism=MONGODB-AWS",
  "compressors=zlib,snappy", "socketTimeoutMS=5", "directConnection=true",
  "tlsCertificateKeyFile=/f", "://", "mongodb://", "serverSelectionTryOnce=1", "maxPoolSize=9",
  "ann", "timeout_ms", "username", "password", "auth_source", "compressors",
  "read_preference_tags", "w", "tls", "socket_timeout_ms", "app_name", "authMechanismProperties",
  "replica_set", "heartbeatFrequencyMS=1",
}

local read -- lines of the log so far

local function clean(text)
  assert(type(text) == "string")
  assert(not text:find("hunter2", 1, true), "the password in: " .. text)
end

-- Whether the secret was drawn by chance, too, where none belongs and so may be shown.
local function is_elsewhere(uri, secrets, options)
  if select(2, uri:gsub("hunter2", "")) ~= secrets then return true end
  for key, value in next, options do
    local texts = { type(key) == "string" and key or "", type(value) == "string" and value or "" }
    if key == "password" or key == "tls_certificate_key_file_password" then texts[2] = nil end
    if table.concat(texts):find "hunter2" then return true end
  end
  return false
end

local function judge(uri, secrets, options)
  if is_elsewhere(uri, secrets, options) then return end
  local ok, client, message = pcall(core.client, uri, options)
  if not ok then
    clean(client)
  elseif not client then
    clean(message)
  else
    clean(client:database())
    clean(tostring(client))
    client:weakened()
    client:close()
  end
  local lines
  lines, read = core.log(read)
  for _, line in ipairs(lines) do clean(line.message) end
end

return judge, keys, {}
