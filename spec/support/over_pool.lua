-- Runs busted inside a coroutine of cqueues, with the pool as the transport of all connections:
-- what cannot yield where it waits fails. In place of busted: lua spec/support/over_pool.lua ...
package.path = "./lua/?.lua;./lua/?/init.lua;./?.lua;" .. package.path -- as .busted has it

local cqueues = require "cqueues"

require("modm.transport").default = os.getenv "MODM_TRANSPORT" or "pool"

-- The thread sanitizer's library is for this process: the programs that specs start crash under it.
if (os.getenv "MODM_FLAVOUR" or ""):find "^tsan" then
  require("spec.support.loops").load_luv().os_unsetenv "LD_PRELOAD"
  package.loaded.luv = nil
end

local controller = cqueues.new()
controller:wrap(function()
  require "busted.runner" { standalone = false }
end)
assert(controller:loop())
