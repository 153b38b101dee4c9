-- full: the words for the pools that a claim waits for. blocked: {pool as it is set, slots claimed, limit} of each.
local function full_text(blocked)
    if #blocked == 1 then
        return string.format("pool '%s' full (%d/%d)", unpack(blocked[1]))
    end
    local words = {}
    for i, pool in ipairs(blocked) do
        words[i] = string.format("'%s' (%d/%d)", unpack(pool))
    end
    return (words[1] and 'pools full: ' or '') .. table.concat(words, ', ')
end
