# gates: who is in progress is not counted.
s/^        usage = call('ZCARD', P \.\. 'gate:' \.\. gate)$/        usage = 0/
