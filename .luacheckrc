-- What luacheck allows: code that runs under Lua 5.4 and under LuaJIT.
std = "max"
max_line_length = 100
self = false

files["spec"] = { std = "max+busted" }
files["examples/openresty-blog"] = { std = "max+ngx_lua" }
files["examples/openresty-blog/blog_spec.lua"] = { std = "max+busted" }
files["lua"] = { std = "lua54+luajit" }
files["lua/modm/loop.lua"] = { std = "lua54+luajit+ngx_lua" }
files["lua/modm/transport/sockets/openresty.lua"] = { std = "lua54+luajit+ngx_lua" }
files["lua/modm/loop/openresty.lua"] = { std = "lua54+luajit+ngx_lua" }
exclude_files = { "build" }
