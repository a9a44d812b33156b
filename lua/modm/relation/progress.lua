--- What a delete has done so far, and the error that says so.

local rules = require "modm.relation.rules"

local progress = {}

local names = {}
for _, name in ipairs { "NULLIFY", "CASCADE", "DENY", "PULL" } do names[rules[name]] = name end

---@class modm.DeleteProgress
---@field origin table the meta of the model of the documents that are to go
---@field deleted table<string, integer> model -> documents
---@field updated table<string, integer>
---@field atomic boolean whether a failure undoes all

---@param origin table
---@param atomic boolean
---@return modm.DeleteProgress
function progress.new(origin, atomic)
  return { origin = origin, deleted = {}, updated = {}, atomic = atomic }
end

--- Adds to what was done.
---@param done table<string, integer>
---@param meta table
---@param n integer
function progress.add(done, meta, n)
  if n > 0 then done[meta.name] = (done[meta.name] or 0) + n end
end

-- Adds "3 of blog.Post deleted" for each model, in order of name.
local function tell(texts, done, verb)
  local models = {}
  for name in pairs(done) do models[#models + 1] = name end
  table.sort(models)
  for _, name in ipairs(models) do
    texts[#texts + 1] = ("%d of %s %s"):format(done[name], name, verb)
  end
end

--- The name of a rule, and that of the reference which has it.
---@param rule modm.DeleteRule
---@return string name, string referrer
function progress.names_of(rule) return names[rule.rule], rule.owner.name .. "." .. rule.name end

--- The failure of a delete: the error that it met, with the rule and what was done before.
---@param job modm.DeleteProgress
---@param rule modm.DeleteRule|nil nil: the documents themselves could not be found or deleted
---@param err modm.Error
---@return nil, string, modm.Error
function progress.failure(job, rule, err)
  local texts = {}
  if job.atomic then job.deleted, job.updated = {}, {} end
  tell(texts, job.deleted, "deleted")
  tell(texts, job.updated, "changed")
  err.model, err.deleted, err.updated = err.model or job.origin.name, job.deleted, job.updated
  if rule then err.rule, err.referrer = progress.names_of(rule) end
  err.message = ("%s: delete failed%s: %s (done before: %s)"):format(job.origin.name,
    rule and (" at %s of %s"):format(err.rule, err.referrer) or "", err.message,
    #texts > 0 and table.concat(texts, ", ") or "nothing")
  return nil, tostring(err), err
end

return progress
