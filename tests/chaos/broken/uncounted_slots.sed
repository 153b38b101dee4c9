# take, used: who holds slots is not counted.
s/^            if call('HINCRBY', P \.\. 'pool_used', pools\[i\], slots\[i\]) > most\[i\] then$/            if false then/
s/^    known_used\[pool\] = call('HINCRBY', P \.\. 'pool_used', pool, slots)$/    known_used[pool] = 0/
