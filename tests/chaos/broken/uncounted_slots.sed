# grants: who holds slots is not counted.
s/^    pool_used\[pool\] = call('HINCRBY', P \.\. 'pool_used', pool, slots)$/    pool_used[pool] = 0/
