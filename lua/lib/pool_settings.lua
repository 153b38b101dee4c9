-- pool_settings: what the texts say that operators set for a pool; false is where nothing was set.
-- Slots: infinite below 0; a limit that cannot be read grants nothing.
local function limit_read(text)
    return text and (text:find('^%d+$') and tonumber(text) or text:find('^-%d+$') and math.huge or 0)
end

-- The lease of a grant: the shortest of those of its pools.
local function shortest_lease(texts)
    local lease = math.huge
    for _, text in ipairs(texts) do
        lease = math.min(lease, text and text:find('^%d+$') and math.max(1000, tonumber(text)) or 300000)
    end
    return lease
end
