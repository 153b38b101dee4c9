-- ungrant: a grant ends. What the keys hold: pools.lua.
--@include lib/names.lua
--@include lib/events.lua
--@include lib/pools/grants.lua
--@include lib/pools/used.lua
-- mine: the grant as it was read
local function ungrant(claim, mine, event)
    for pool, slots in mine.held:gmatch('([^,=]+)=(%d+)') do
        call('ZREM', P .. 'pool:' .. pool .. ':holders', claim)
        pool_take(pool, '-' .. slots)
    end
    call('ZREM', P .. 'slots', claim)
    call('HDEL', P .. 'slots:' .. mine.run, mine.step)
    emit(event, mine.run, 'step', mine.step, 'attempt', mine.attempt, 'pools', unescape(mine.shape), 'token', mine.token)
end
