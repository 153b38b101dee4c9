-- bypass: how long a claim bears to be passed, as it is set for a pool; false: it is not set.
local function bypass_read(text)
    return text and text:find('^%d+$') and tonumber(text) or 10000
end
