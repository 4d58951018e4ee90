-- What a taken-over worker says twice, or in parts, as one row for each key.
CREATE TEMP TABLE once AS
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
WINDOW w AS (PARTITION BY day, id, initiator_ip, responder_ip)
QUALIFY row_number() OVER (PARTITION BY day, id, initiator_ip, responder_ip ORDER BY first_ts, frame) = 1
