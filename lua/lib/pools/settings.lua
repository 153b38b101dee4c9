-- settings: what operators set for pools; false is where nothing was set.
--@include lib/whole.lua
-- Slots: infinite below 0; a limit that cannot be read grants nothing.
local function limit_read(text)
    return text and (whole(text) or text:find('^-%d+$') and math.huge or 0)
end

-- The lease of a grant: the shortest of those of its pools.
local function shortest_lease(texts)
    local lease = math.huge
    for i = 1, #texts do
        lease = math.min(lease, whole(texts[i]) or 300000)
    end
    return math.max(1000, lease)
end
