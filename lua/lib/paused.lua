-- paused: after lost history (history.lua) nothing is admitted or granted for a while.
local function is_paused()
    return now < (tonumber(call('HGET', P .. 'meta', 'paused_until')) or 0)
end
