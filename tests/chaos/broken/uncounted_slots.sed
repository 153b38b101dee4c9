# grants: who holds slots is not counted.
s/^        used\[pool\] = used\[pool\] + slots$/        used[pool] = 0/
s/^    pool_used\[pool\] = pool_used\[pool\] + slots$/    pool_used[pool] = 0/
