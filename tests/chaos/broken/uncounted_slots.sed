# grants: who holds slots is not counted.
/^        call('HSET', P \.\. 'pool_used', unpack(used))$/d
s/^    pool_used\[pool\] = pool_used\[pool\] + slots$/    pool_used[pool] = 0/
