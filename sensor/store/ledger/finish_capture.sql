UPDATE capture SET
    first_ts = $first_ts, last_ts = $last_ts, packets = $packets, bytes = $bytes, complete = $complete,
    damaged = $damaged, counters = $counters, finished = true, read_at = $read_at
WHERE capture = $capture
