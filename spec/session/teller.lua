-- A process of the bank's spec: lua teller.lua URI PLAN... moves money between accounts, and prints
-- what it moved. Each transfer leaves a note, so that one that was lost or doubled would show.
local modm = require "modm"
local fields = modm.fields

local uri, teller, transfers = arg[1], tonumber(arg[2]), tonumber(arg[3])
assert(modm.connect(uri))

local Account = modm.MongoModel:extend("Account", {
  number = fields.IntegerField { primary_key = true },
  balance = fields.IntegerField {},
})
local Note = modm.MongoModel:extend("Note", { _id = fields.CharField { primary_key = true } })

math.randomseed(teller)
local kept = Note { _id = ("teller %d"):format(teller) } -- one from outside, saved again each time
for i = 1, transfers do
  local from, to, amount = math.random(100), math.random(100), math.random(10)
  local done, message = modm.transaction(function()
    local a = assert(Account.objects:get { number = from })
    a.balance = a.balance - amount
    assert(a:save())
    local b = assert(Account.objects:get { number = to })
    b.balance = b.balance + amount
    assert(b:save())
    if i == 1 then assert(kept:save()) end
    return Note { _id = ("%d/%d"):format(teller, i) }:save { force_insert = true }
  end, { write_concern = "majority" })
  print(done and "done" or "failed: " .. tostring(message), from, to, amount)
end
