-- give_on: what was given back of a shape is for those who wait for it.
--@include lib/serve.lua
local function give_on(shape)
    local freed = {}
    for i, part in ipairs(parts_of[shape]) do
        freed[i] = part[1]
    end
    serve(freed)
end
