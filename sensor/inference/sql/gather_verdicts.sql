-- The rows of one rule, gathered by what a finding is about: times joined, severities collected, the earliest row kept.
-- `pause`: the longest time without evidence between the first and the last.
WITH paused AS (
    SELECT v, device_id, identity_id, subject, first_ts, last_ts, capture, frame,
        first_ts - max(last_ts) OVER (
            PARTITION BY device_id, identity_id, subject ORDER BY first_ts
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS pause
    FROM verdict AS v
)
SELECT device_id, identity_id, subject, min(first_ts) AS first_ts, max(last_ts) AS last_ts,
    greatest(coalesce(max(pause), INTERVAL 0 DAY), INTERVAL 0 DAY) AS pause,
    list(DISTINCT json_extract_string(to_json(v), '$.severity')) AS severities,
    count(*) FILTER (WHERE first_ts IS NULL OR last_ts IS NULL) AS untimed_count,
    arg_min(v, (first_ts, capture, frame, CAST(to_json(v) AS VARCHAR))) AS head
FROM paused
GROUP BY device_id, identity_id, subject
ORDER BY device_id, identity_id, subject
