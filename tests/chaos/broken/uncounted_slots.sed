# grants: who holds slots is not counted.
/^        call('HSET', P \.\. 'pool_used', unpack(sums))$/d
s/^    pool_used\[pool\] = call('HINCRBY', P \.\. 'pool_used', pool, num(slots))$/    pool_used[pool] = 0/
