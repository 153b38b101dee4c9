# gates, run/finish: a gate is a number that admission raises and the outcome lowers, not the set of those who hold it.
s/^    for gate, ids in pairs(of_gate) do$/&\n        call('HINCRBY', P .. 'meta', 'gate:' .. gate, #ids)/
s/^    return call('ZCARD', P \.\. 'gate:' \.\. gate)$/    return tonumber(call('HGET', P .. 'meta', 'gate:' .. gate)) or 0/
s/^run_end(id, f\[1\], f\[3\] or '', f\[4\], state, ARGV\[6\])$/for _, gate in ipairs(gates_in[f[3] or '']) do call('HINCRBY', P .. 'meta', 'gate:' .. gate, -1) end\n&/
