-- One row per reading, day and id. `incoming` holds one row per key.
MERGE INTO fact_certificate AS t
USING incoming AS s
-- The place guards against two keys with the same 64-bit id.
ON t.batch >= $since_batch AND t.batch >= s.batch AND t.reading = s.reading AND t.day = s.day AND t.id = s.id AND t.place = s.place
-- The evidence is that of the first sight, which seldom changes. No texts: updated ones stay in DuckDB's memory.
WHEN MATCHED AND (s.first_ts, s.frame) < (t.first_ts, t.frame) THEN UPDATE SET
    first_ts = s.first_ts, frame = s.frame, initiator_port = s.initiator_port,
    last_ts = greatest(t.last_ts, s.last_ts), n = t.n + s.n, hours = t.hours | s.hours, quality = least(t.quality, s.quality)
WHEN MATCHED THEN UPDATE SET
    last_ts = greatest(t.last_ts, s.last_ts), n = t.n + s.n, hours = t.hours | s.hours, quality = least(t.quality, s.quality)
WHEN NOT MATCHED THEN INSERT BY NAME *
