-- shapes: what a claim asks of pools, `api=2,db=1`, against the limits of this moment and what is used.
--@include lib/pools/room.lua
-- {{pool, weight}, ...} of a shape
local parts_of = memo(function(shape)
    local parts = {}
    for pool, weight in shape:gmatch('([^,=]+)=(%d+)') do
        parts[#parts + 1] = {pool, tonumber(weight)}
    end
    return parts
end)

-- Whether a grant of this shape is recorded.
local function is_limited(shape)
    for _, part in ipairs(parts_of[shape]) do
        if pool_is_limited(part[1]) then
            return true
        end
    end
    return false
end
