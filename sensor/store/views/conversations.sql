-- Who talked to whom: one row per pair, service and UTC day. `protocol` '' = not understood; `confidence`: port | probed |
-- confirmed. `interface` and `segment` (VLAN or tunnel): of its first packet. `left_out_bytes` and `lost_bytes` are what we were blind to.
-- Read from several captures, `n` is the sum. `hours`: bit h = seen in hour h (UTC). `capture`, `frame` and `community_id`
-- point to the first sight of that day.
CREATE OR REPLACE VIEW conversations AS
SELECT day, id, scope, initiator_mac, initiator_ip, responder_mac, responder_ip, port, transport, protocol, confidence,
    coalesce(interface, '') AS interface, coalesce(segment, '') AS segment,
    CAST(sum(packets) AS BIGINT) AS packets, CAST(sum(initiator_bytes) AS BIGINT) AS initiator_bytes,
    CAST(sum(responder_bytes) AS BIGINT) AS responder_bytes, CAST(sum(copied_bytes) AS BIGINT) AS copied_bytes,
    CAST(sum(skipped_bytes) AS BIGINT) AS skipped_bytes, CAST(sum(left_out_bytes) AS BIGINT) AS left_out_bytes,
    CAST(sum(lost_bytes) AS BIGINT) AS lost_bytes, CAST(sum(midstream_count) AS BIGINT) AS midstream_count,
    CAST(sum(one_sided_count) AS BIGINT) AS one_sided_count, CAST(sum(gap_count) AS BIGINT) AS gap_count,
    CAST(sum(unanswered_count) AS BIGINT) AS unanswered_count,
    CAST(coalesce(sum(truncated_count), 0) AS BIGINT) AS truncated_count,
    CAST(coalesce(sum(duplicate_count), 0) AS BIGINT) AS duplicate_count, CAST(sum(n) AS BIGINT) AS n,
    min(first_ts) AS first_ts, max(last_ts) AS last_ts, bit_or(hours) AS hours,
    arg_min(capture, (first_ts, frame, capture)) AS capture, arg_min(frame, (first_ts, frame, capture)) AS frame,
    arg_min_null(community_id, (first_ts, frame, capture)) AS community_id
FROM fact_conversation
JOIN (SELECT reading, capture FROM capture) AS c USING (reading)
GROUP BY ALL
