-- The coroutine transport: where it cannot be had, the reason.
local core = require "modm.core"
local modm = require "modm"
local server = require "spec.support.server"

describe("the coroutine transport", function()
  it("is refused with the reason where it cannot be had", function()
    local can, reason = core.can_suspend()
    if can then return pending "this libmongoc can be suspended" end
    local ok, message, err = modm.connect(server.uri(), { transport = "coroutine", alias = "co" })
    assert.is_nil(ok)
    assert.equal("ConfigurationError", err.kind)
    assert.equal(reason, message)
    assert.matches("^transport 'coroutine' ", message)
  end)
end)
