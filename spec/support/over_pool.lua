-- Runs busted inside a coroutine of cqueues, with the pool as the transport of all connections:
-- what cannot yield where it waits fails. In place of busted: lua spec/support/over_pool.lua ...
package.path = "./lua/?.lua;./lua/?/init.lua;./?.lua;" .. package.path -- as .busted has it

local cqueues = require "cqueues"

require("modm.transport").default = "pool"

local controller = cqueues.new()
controller:wrap(function()
  require "busted.runner" { standalone = false }
end)
assert(controller:loop())
