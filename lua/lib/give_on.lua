-- give_on: what was given back is for those who wait for it.
local function give_on(shape)
    --@include lib/shut_out.lua
    if is_shut_out(shape) then
        return
    end
    --@include lib/serve.lua
    local freed = {}
    for i, part in ipairs(parts_of[shape]) do
        freed[i] = part[1]
    end
    serve(freed)
end
