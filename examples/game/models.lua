-- The models of the game: what the server alone changes, and what others change, too.
local modm = require "modm"
local fields = modm.fields

-- Of a player's state the game is the only writer, so that nothing has to be checked when it is
-- saved, and a thousand changes go together in few commands.
local Player = modm.MongoModel:extend("Player", {
  number = fields.IntegerField { primary_key = true },
  name = fields.CharField { required = true, max_length = 30 },
  x = fields.FloatField {},
  y = fields.FloatField {},
  health = fields.IntegerField { min_value = 0, max_value = 100 },
  score = fields.IntegerField { min_value = 0 },
  tick = fields.IntegerField {}, -- the last in which the player was seen
  Meta = {
    connection_alias = "game",
    indexes = { { { "score", -1 }, { "_id", 1 } } }, -- the order of the leaderboard
  },
})

-- Gold is worked out from what was there, and admins give some: the version tells when somebody
-- else came first.
local Wallet = modm.MongoModel:extend("Wallet", {
  player = fields.IntegerField { primary_key = true },
  gold = fields.IntegerField { min_value = 0, default = 0 },
  Meta = { connection_alias = "game", version = true },
})

return { Player = Player, Wallet = Wallet }
