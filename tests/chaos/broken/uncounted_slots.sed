# grants: who holds slots is not counted.
/^        call('HINCRBY', P \.\. 'pool_used', pools\[i\], slots\[i\])$/d
s/^    pool_used\[pool\] = call('HINCRBY', P \.\. 'pool_used', pool, num(slots))$/    pool_used[pool] = 0/
