-- One of several processes that race for the same documents: racer.lua URI METHOD ROUNDS BEGIN.
local modm = require "modm"
local fields = modm.fields

local uri, method, rounds, begin = arg[1], arg[2], tonumber(arg[3]), tonumber(arg[4])

assert(modm.connect(uri))

local Place = modm.MongoModel:extend("RacePlace", {
  name = fields.CharField { required = true },
  visits = fields.IntegerField { default = 0 },
  Meta = { indexes = { { "name", unique = true } } },
})

assert(Place.objects:count()) -- connected, and the index is there
while os.time() < begin do os.execute "sleep 0.01" end

local made = 0
for i = 1, rounds do
  local find = Place.objects[method]
  local doc, created, err = find(Place.objects, { name = "p" .. i }, { visits = 1 })
  assert(doc, err)
  assert(doc.name == "p" .. i and doc.visits == 1)
  if created then made = made + 1 end
end
print("made " .. made)
