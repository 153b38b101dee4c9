-- bell: wakes one of those who wait. At most one token lies in a bell: whoever takes it looks at everything that is there.
local function ring(key)
    if call('EXISTS', key) == 0 then
        call('RPUSH', key, '1')
    end
end
