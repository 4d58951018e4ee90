-- As for the facts; what was counted is added up.
MERGE INTO fact_conversation AS t
USING (
    SELECT * REPLACE (
        min(first_ts) OVER w AS first_ts, max(last_ts) OVER w AS last_ts, bit_or(hours) OVER w AS hours,
        CAST(sum(packets) OVER w AS BIGINT) AS packets,
        CAST(sum(initiator_bytes) OVER w AS BIGINT) AS initiator_bytes,
        CAST(sum(responder_bytes) OVER w AS BIGINT) AS responder_bytes,
        CAST(sum(copied_bytes) OVER w AS BIGINT) AS copied_bytes,
        CAST(sum(skipped_bytes) OVER w AS BIGINT) AS skipped_bytes,
        CAST(sum(left_out_bytes) OVER w AS BIGINT) AS left_out_bytes,
        CAST(sum(lost_bytes) OVER w AS BIGINT) AS lost_bytes,
        CAST(sum(midstream_count) OVER w AS BIGINT) AS midstream_count,
        CAST(sum(one_sided_count) OVER w AS BIGINT) AS one_sided_count,
        CAST(sum(gap_count) OVER w AS BIGINT) AS gap_count,
        CAST(sum(unanswered_count) OVER w AS BIGINT) AS unanswered_count,
        CAST(sum(truncated_count) OVER w AS BIGINT) AS truncated_count,
        CAST(sum(duplicate_count) OVER w AS BIGINT) AS duplicate_count, CAST(sum(n) OVER w AS BIGINT) AS n)
    FROM incoming
    WINDOW w AS (PARTITION BY capture, day, id, initiator_ip, responder_ip)
    QUALIFY row_number() OVER (PARTITION BY capture, day, id, initiator_ip, responder_ip ORDER BY first_ts, frame) = 1
) AS s
ON t.capture = s.capture AND t.day = s.day AND t.id = s.id
    AND t.initiator_ip IS NOT DISTINCT FROM s.initiator_ip AND t.responder_ip IS NOT DISTINCT FROM s.responder_ip
WHEN MATCHED THEN UPDATE SET
    frame = CASE WHEN (s.first_ts, s.frame) < (t.first_ts, t.frame) THEN s.frame ELSE t.frame END,
    community_id = CASE WHEN (s.first_ts, s.frame) < (t.first_ts, t.frame) THEN s.community_id ELSE t.community_id END,
    first_ts = least(t.first_ts, s.first_ts), last_ts = greatest(t.last_ts, s.last_ts), hours = t.hours | s.hours,
    packets = t.packets + s.packets, initiator_bytes = t.initiator_bytes + s.initiator_bytes,
    responder_bytes = t.responder_bytes + s.responder_bytes, copied_bytes = t.copied_bytes + s.copied_bytes,
    skipped_bytes = t.skipped_bytes + s.skipped_bytes, left_out_bytes = t.left_out_bytes + s.left_out_bytes,
    lost_bytes = t.lost_bytes + s.lost_bytes, midstream_count = t.midstream_count + s.midstream_count,
    one_sided_count = t.one_sided_count + s.one_sided_count, gap_count = t.gap_count + s.gap_count,
    unanswered_count = t.unanswered_count + s.unanswered_count, truncated_count = t.truncated_count + s.truncated_count,
    duplicate_count = t.duplicate_count + s.duplicate_count, n = t.n + s.n
WHEN NOT MATCHED THEN INSERT BY NAME *
