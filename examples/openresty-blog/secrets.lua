-- What must not be guessed: passwords, tokens and their digests, by libsodium.
local ffi = require "ffi"

ffi.cdef [[
int sodium_init(void);
void randombytes_buf(void *buf, size_t size);
char *sodium_bin2hex(char *hex, size_t hex_maxlen, const unsigned char *bin, size_t bin_len);
int crypto_generichash(unsigned char *out, size_t outlen, const unsigned char *in,
  unsigned long long inlen, const unsigned char *key, size_t keylen);
int sodium_memcmp(const void *b1, const void *b2, size_t len);
int crypto_pwhash_str(char *out, const char *passwd, unsigned long long passwdlen,
  unsigned long long opslimit, size_t memlimit);
int crypto_pwhash_str_verify(const char *str, const char *passwd, unsigned long long passwdlen);
]]
local sodium = ffi.load "libsodium.so.23"
assert(sodium.sodium_init() >= 0)

local secrets = {}

local SIZE = 32                           -- bytes of a token and of a digest
local OPERATIONS, MEMORY = 2, 64 * 2 ^ 20 -- libsodium's limits for logins: about 0.1 s, 64 MiB

local function hex(bytes)
  local text = ffi.new("char[?]", 2 * SIZE + 1)
  return ffi.string(sodium.sodium_bin2hex(text, 2 * SIZE + 1, bytes, SIZE))
end

-- 64 hexadecimal digits that nobody can guess.
function secrets.token()
  local bytes = ffi.new("unsigned char[?]", SIZE)
  sodium.randombytes_buf(bytes, SIZE)
  return hex(bytes)
end

-- 64 hexadecimal digits that only the text leads to; with a key of as many, only both together.
function secrets.digest(text, key)
  local bytes = ffi.new("unsigned char[?]", SIZE)
  assert(sodium.crypto_generichash(bytes, SIZE, text, #text, key, key and #key or 0) == 0)
  return hex(bytes)
end

-- Compares in a time that does not tell where two texts differ.
function secrets.equal(a, b) return #a == #b and sodium.sodium_memcmp(a, b, #a) == 0 end

-- A password's hash by Argon2id, with its salt and limits inside.
function secrets.hash(password)
  local out = ffi.new("char[128]")
  assert(sodium.crypto_pwhash_str(out, password, #password, OPERATIONS, MEMORY) == 0, "no memory")
  return ffi.string(out)
end

function secrets.verify(hash, password)
  return sodium.crypto_pwhash_str_verify(hash, password, #password) == 0
end

return secrets
