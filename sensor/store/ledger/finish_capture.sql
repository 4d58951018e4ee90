UPDATE capture AS c SET
    first_ts = i.first_ts, last_ts = i.last_ts, packets = i.packets, bytes = i.bytes, complete = i.complete,
    damaged = i.damaged, counters = i.counters, finished = true, read_at = i.read_at
FROM incoming AS i
WHERE c.capture = i.capture
