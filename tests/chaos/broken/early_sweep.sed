# upkeep: leases end 9.5 s too early.
s/ZRANGEBYSCORE', P \.\. 'running', '-inf', NOW, 'WITHSCORES'/ZRANGEBYSCORE', P .. 'running', '-inf', num(now + 9500), 'WITHSCORES'/
