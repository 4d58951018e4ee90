-- As for the facts; what was counted is added up.
MERGE INTO fact_conversation AS t
USING incoming AS s
ON t.batch >= $since_batch AND t.batch >= s.batch AND t.reading = s.reading AND t.day = s.day AND t.id = s.id
    AND t.initiator_ip IS NOT DISTINCT FROM s.initiator_ip AND t.responder_ip IS NOT DISTINCT FROM s.responder_ip
-- The evidence is that of the first sight, which seldom changes. No texts: updated ones stay in DuckDB's memory.
WHEN MATCHED AND (s.first_ts, s.frame) < (t.first_ts, t.frame) THEN UPDATE SET
    first_ts = s.first_ts, frame = s.frame, initiator_port = s.initiator_port,
    last_ts = greatest(t.last_ts, s.last_ts), hours = t.hours | s.hours, packets = t.packets + s.packets,
    initiator_bytes = t.initiator_bytes + s.initiator_bytes, responder_bytes = t.responder_bytes + s.responder_bytes,
    copied_bytes = t.copied_bytes + s.copied_bytes, skipped_bytes = t.skipped_bytes + s.skipped_bytes,
    left_out_bytes = t.left_out_bytes + s.left_out_bytes, lost_bytes = t.lost_bytes + s.lost_bytes,
    midstream_count = t.midstream_count + s.midstream_count, one_sided_count = t.one_sided_count + s.one_sided_count,
    gap_count = t.gap_count + s.gap_count, unanswered_count = t.unanswered_count + s.unanswered_count,
    truncated_count = t.truncated_count + s.truncated_count, duplicate_count = t.duplicate_count + s.duplicate_count,
    n = t.n + s.n
WHEN MATCHED THEN UPDATE SET
    last_ts = greatest(t.last_ts, s.last_ts), hours = t.hours | s.hours, packets = t.packets + s.packets,
    initiator_bytes = t.initiator_bytes + s.initiator_bytes, responder_bytes = t.responder_bytes + s.responder_bytes,
    copied_bytes = t.copied_bytes + s.copied_bytes, skipped_bytes = t.skipped_bytes + s.skipped_bytes,
    left_out_bytes = t.left_out_bytes + s.left_out_bytes, lost_bytes = t.lost_bytes + s.lost_bytes,
    midstream_count = t.midstream_count + s.midstream_count, one_sided_count = t.one_sided_count + s.one_sided_count,
    gap_count = t.gap_count + s.gap_count, unanswered_count = t.unanswered_count + s.unanswered_count,
    truncated_count = t.truncated_count + s.truncated_count, duplicate_count = t.duplicate_count + s.duplicate_count,
    n = t.n + s.n
WHEN NOT MATCHED THEN INSERT BY NAME *
