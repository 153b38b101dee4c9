# gates, run/finish: a gate is a number that admission raises and the outcome lowers, not the set of those who hold it.
s/^        count_later('gate:' .. gate, NOW, id)$/&\n        call('HINCRBY', P .. 'meta', 'gate:' .. gate, 1)/
s/^    return call('ZCARD', P \.\. 'gate:' \.\. gate)$/    return tonumber(call('HGET', P .. 'meta', 'gate:' .. gate)) or 0/
s/^run_end(id, f\[1\], f\[3\] or '', f\[4\], state, ARGV\[6\])$/for gate in (f[3] or ''):gmatch('[^,]+') do call('HINCRBY', P .. 'meta', 'gate:' .. gate, -1) end\n&/
