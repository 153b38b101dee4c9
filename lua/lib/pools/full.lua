-- full: the words for the pools that a claim waits for. blocked: {pool as it is set, slots claimed, limit} of each.
local function full_text(blocked)
    local words = {}
    for i, pool in ipairs(blocked) do
        words[i] = string.format("'%s' %s(%d/%d)", pool[1], #blocked == 1 and 'full ' or '', pool[2], pool[3])
    end
    return (#words > 1 and 'pools full: ' or #words == 1 and 'pool ' or '') .. table.concat(words, ', ')
end
