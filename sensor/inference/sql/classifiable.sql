-- What was said of each device, by itself or by others.
SELECT device_id, name, value, about <> 'side' AS described, side, min(first_ts) AS first_ts, max(last_ts) AS last_ts, sum(n)::BIGINT AS n
FROM seen_attribute
WHERE device_id IS NOT NULL
GROUP BY device_id, name, value, about <> 'side', side
