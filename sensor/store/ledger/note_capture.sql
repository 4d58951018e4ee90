-- A live capture so far: it is not finished, and goes on.
UPDATE capture SET
    first_ts = $first_ts, last_ts = $last_ts, packets = $packets, bytes = $bytes, complete = $complete,
    damaged = $damaged, counters = $counters, read_at = $read_at
WHERE capture = $capture
