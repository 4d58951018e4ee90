-- One row per capture, day and id. `incoming` holds one row per key.
MERGE INTO fact_attribute AS t
USING (SELECT * EXCLUDE (parser_set) FROM incoming) AS s
-- The place guards against two keys with the same 64-bit id.
ON t.capture = s.capture AND t.day = s.day AND t.id = s.id AND t.place = s.place
WHEN MATCHED THEN UPDATE SET
    -- The evidence is that of the first sight; on the right, `t` is the row as it was.
    frame = CASE WHEN (s.first_ts, s.frame) < (t.first_ts, t.frame) THEN s.frame ELSE t.frame END,
    community_id = CASE WHEN (s.first_ts, s.frame) < (t.first_ts, t.frame) THEN s.community_id ELSE t.community_id END,
    first_ts = least(t.first_ts, s.first_ts), last_ts = greatest(t.last_ts, s.last_ts),
    n = t.n + s.n, hours = t.hours | s.hours, quality = t.quality | s.quality
WHEN NOT MATCHED THEN INSERT BY NAME *
