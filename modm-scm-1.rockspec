-- The rock: our Makefile builds it with the compiler, flags and folders that luarocks gives.
-- For LuaJIT: luarocks --lua-version 5.1 make LUA_INCDIR=<folder of luajit's lua.h>; where there is a
-- lua5.1 too, the command needs `luarocks --lua-version 5.1 config lua_interpreter luajit` before.
rockspec_format = "3.0"
package = "modm"
version = "scm-1"
source = {
  url = "git+file://.", -- `luarocks make` takes the tree it stands in
}
description = {
  summary = "An object-document mapper for MongoDB, in C",
  detailed = [[
Models, fields, validation, queries, references and delete rules for MongoDB, in the manner of
PyMODM, for Lua 5.4 and LuaJIT. Needs libmongoc and libbson (Debian: libmongoc-dev), and OpenSSL.]],
  license = "MIT",
}
dependencies = {
  "lua >= 5.1, < 5.5",
}
-- libmongoc-1.0 or mongoc2. Headers are found by pkg-config, or where LIBMONGOC_DIR points.
external_dependencies = {
  LIBMONGOC = { library = "mongoc*" },
  LIBBSON = { library = "bson*" },
  CRYPTO = { header = "openssl/hmac.h", library = "crypto" },
}
build = {
  type = "make",
  build_target = "rock",
  install_target = "rock-install",
  build_variables = {
    CC = "$(CC)",
    CFLAGS = "$(CFLAGS)",
    LUA_INCDIR = "$(LUA_INCDIR)",
    MONGOC_INCDIR = "$(LIBMONGOC_INCDIR)",
    MONGOC_LIBDIR = "$(LIBMONGOC_LIBDIR)",
    BSON_INCDIR = "$(LIBBSON_INCDIR)",
  },
  install_variables = {
    INST_LIBDIR = "$(LIBDIR)",
    INST_LUADIR = "$(LUADIR)",
    INST_BINDIR = "$(BINDIR)",
  },
}
