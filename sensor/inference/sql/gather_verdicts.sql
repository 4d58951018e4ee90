-- The rows of one rule, gathered by what a finding is about: times joined, severities collected, the earliest row kept.
SELECT device_id, identity_id, subject, min(first_ts) AS first_ts, max(last_ts) AS last_ts,
    list(DISTINCT json_extract_string(to_json(v), '$.severity')) AS severities,
    count(*) FILTER (WHERE first_ts IS NULL OR last_ts IS NULL) AS untimed_count,
    arg_min(v, (first_ts, capture, frame, CAST(to_json(v) AS VARCHAR))) AS head
FROM verdict AS v
GROUP BY device_id, identity_id, subject
ORDER BY device_id, identity_id, subject
