-- The bank: pays gold into wallets, while an admin gives some to the same players.
local condition = require "cqueues.condition"
local cqueues = require "cqueues"
local Wallet = require "models".Wallet

local bank = {}

local Bank = {}
Bank.__index = Bank

local START = 100

--- Opens a wallet for each player. `ledger` notes what has to be in each, and how often it changed.
function bank.new(world)
  local self = setmetatable({
    wallets = {}, ledger = {}, owed = {}, more = condition.new(),
    payments = 0, gifts = 0, conflicts = 0, closed = false,
  }, Bank)
  for number in ipairs(world.players) do
    self.wallets[number] = Wallet { player = number, gold = START }
    self.ledger[number] = { gold = START, version = 1 }
  end
  assert(Wallet.objects:bulk_create(self.wallets))
  return self
end

function Bank:note(number, gold)
  local entry = self.ledger[number]
  entry.gold, entry.version = entry.gold + gold, entry.version + 1
end

--- Notes what players found; `pay` pays it.
function Bank:owe(found)
  for _, one in ipairs(found) do table.insert(self.owed, one) end
  self.more:signal()
end

function Bank:close()
  self.closed = true
  self.more:signal()
end

-- The wallet in memory may be an old one: then save_with reads it anew and calls this again.
function Bank:pay_one(number, gold)
  local tries = 0
  assert(self.wallets[number]:save_with(function(wallet)
    tries = tries + 1
    wallet.gold = wallet.gold + gold
  end))
  self.conflicts = self.conflicts + tries - 1
  self.payments = self.payments + 1
  self:note(number, gold)
end

--- Pays in the order in which it was found, until the bank is closed and owes nothing.
function Bank:pay()
  repeat
    local one = table.remove(self.owed, 1)
    if one then
      self:pay_one(one.player, one.gold)
    elseif not self.closed then
      self.more:wait()
    end
  until self.closed and #self.owed == 0
end

-- What an admin's page does: it shows the wallet, and saves it after a while. The same as above, by
-- hand: on a conflict, look again.
function Bank:give(number, gold)
  while true do
    local wallet = assert(Wallet.objects:get { player = number })
    cqueues.sleep(0.01)
    wallet.gold = wallet.gold + gold
    local ok, _, err = wallet:save()
    if ok then break end
    if err.kind ~= "ConflictError" then error(err, 0) end
    self.conflicts = self.conflicts + 1
  end
  self.gifts = self.gifts + 1
  self:note(number, gold)
end

--- Gives gold to players who find some, too, until the bank is closed.
function Bank:admin()
  while not self.closed do
    self:give(math.random(math.min(#self.wallets, 20)), 5)
    cqueues.sleep(0.02)
  end
end

return bank
