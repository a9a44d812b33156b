-- Error objects.
local errors = require "modm.errors"

describe("an error object", function()
  it("has kind, message and what belongs to it", function()
    local err = errors.new("ServerError", "no", { code = 7 })
    assert.are.same({ "ServerError", "no", 7, "no" }, { err.kind, err.message, err.code,
      tostring(err) })
    assert.is_true(errors.is_error(err))
    for _, other in ipairs { {}, "no", 7, setmetatable({}, {}) } do
      assert.is_false(errors.is_error(other))
    end
  end)

  it("joins with text", function()
    local err = errors.new("ServerError", "no")
    assert.are.equal("oh no!", "oh " .. err .. "!")
  end)

  it("is returned beside its text, which assert raises", function()
    local nothing, message, err = errors.failure(errors.new("ServerError", "no"))
    assert.is_nil(nothing)
    assert.are.equal("no", message)
    assert.are.equal("ServerError", err.kind)
    local ok, raised = pcall(assert, errors.failure(err))
    assert.is_false(ok)
    assert.are.equal("no", tostring(raised))
  end)

  it("is told by the name of its kind", function()
    local err = errors.new("ServerError", "no")
    assert.is_true(err:is("ServerError"))
    assert.is_false(err:is("DoesNotExist"))
    assert.is_false(err:is(errors.kind("User", "DoesNotExist")))
  end)

  it("may be of a model's own kind, which its parents' are, too", function()
    local user = errors.kind("User", "DoesNotExist")
    local admin = errors.kind("Admin", "DoesNotExist", user)
    local other = errors.kind("Post", "DoesNotExist")
    assert.are.equal("Admin.DoesNotExist", tostring(admin))
    local err = errors.new(admin, "no Admin")
    assert.are.same({ "DoesNotExist", "Admin" }, { err.kind, err.model })
    for _, kind in ipairs { admin, user, "DoesNotExist" } do
      assert.is_true(err:is(kind))
    end
    assert.is_false(err:is(other))
    assert.is_false(err:is("MultipleObjectsReturned"))
    assert.is_false(errors.new(user, "no User"):is(admin))
  end)
end)

describe("raise", function()
  it("raises an error object as it is", function()
    local err = errors.new("ServerError", "no")
    local ok, raised = pcall(errors.raise, err)
    assert.is_false(ok)
    assert.is_true(rawequal(err, raised))
  end)

  it("puts the caller's position before misuse", function()
    local function api() errors.raise("ConfigurationError", "wrong") end
    local line
    local ok, raised = pcall(function()
      line = debug.getinfo(1, "l").currentline + 1
      api()
      return line
    end)
    assert.is_false(ok)
    assert.are.equal("wrong", raised.message)
    assert.is_truthy(tostring(raised):find("errors_spec.lua:" .. line .. ": wrong", 1, true))
    assert.are.equal("ConfigurationError", raised.kind)
    ok, raised = pcall(errors.raise, "ConfigurationError", "wrong", 1000)
    assert.is_false(ok)
    assert.are.equal("wrong", tostring(raised))
  end)
end)
