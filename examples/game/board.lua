-- The leaderboard, by pages that go on behind the last player of the page before.
local Player = require "models".Player

local board = {}

local SIZE = 20

--- The first so many players by score, and how many pages that took. A page finds its beginning in
--- the index, however far down it is; `skip` would count all players before it.
---@return modm.Document[] players, integer pages
function board.top(count)
  local ranking = Player.objects:only("name", "score"):order_by("-score")
  local players, pages, after = {}, 0, nil
  repeat
    local page = assert(ranking:page { size = SIZE, after = after })
    for _, player in ipairs(page) do players[#players + 1] = player end
    pages, after = pages + 1, page.next
  until not after or #players >= count
  return players, pages
end

return board
