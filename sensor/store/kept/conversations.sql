-- View `conversations` before numbers become texts: who wants some rows of many chooses them here.
CREATE OR REPLACE VIEW kept_conversations AS
SELECT f.day, f.id, k.scope, f.initiator_mac, f.initiator_ip, f.responder_mac, f.responder_ip, f.port, k.transport, k.protocol,
    k.confidence, coalesce(k.interface, '') AS interface, coalesce(k.segment, '') AS segment,
    CAST(sum(f.packets) AS BIGINT) AS packets, CAST(sum(f.initiator_bytes) AS BIGINT) AS initiator_bytes,
    CAST(sum(f.responder_bytes) AS BIGINT) AS responder_bytes, CAST(sum(f.copied_bytes) AS BIGINT) AS copied_bytes,
    CAST(sum(f.skipped_bytes) AS BIGINT) AS skipped_bytes, CAST(sum(f.left_out_bytes) AS BIGINT) AS left_out_bytes,
    CAST(sum(f.lost_bytes) AS BIGINT) AS lost_bytes, CAST(sum(f.midstream_count) AS BIGINT) AS midstream_count,
    CAST(sum(f.one_sided_count) AS BIGINT) AS one_sided_count, CAST(sum(f.gap_count) AS BIGINT) AS gap_count,
    CAST(sum(f.unanswered_count) AS BIGINT) AS unanswered_count,
    CAST(coalesce(sum(f.truncated_count), 0) AS BIGINT) AS truncated_count,
    CAST(coalesce(sum(f.duplicate_count), 0) AS BIGINT) AS duplicate_count, CAST(sum(f.n) AS BIGINT) AS n,
    min(f.first_ts) AS first_ts, max(f.last_ts) AS last_ts, bit_or(f.hours) AS hours,
    arg_min(c.capture, (f.first_ts, f.frame, c.capture)) AS capture, arg_min(f.frame, (f.first_ts, f.frame, c.capture)) AS frame,
    arg_min_null(f.community_id, (f.first_ts, f.frame, c.capture)) AS community_id,
    arg_min_null(f.initiator_port, (f.first_ts, f.frame, c.capture)) AS initiator_port
FROM fact_conversation AS f
JOIN capture AS c ON c.reading = f.reading
JOIN kind AS k ON k.reading = f.reading AND k.id = f.kind
GROUP BY ALL
