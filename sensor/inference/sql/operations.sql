-- Which DICOM services each device asked for and answered: value is "<operation> <SOP class UID>".
SELECT speaker_id AS device_id, TRUE AS asks, value, min(first_ts) AS first_ts, max(last_ts) AS last_ts, sum(n)::BIGINT AS n
FROM seen_attribute
WHERE name = 'dicom.operation_sop_class' AND speaker_id IS NOT NULL
GROUP BY ALL
UNION ALL
SELECT peer_id, FALSE, value, min(first_ts), max(last_ts), sum(n)::BIGINT
FROM seen_attribute
WHERE name = 'dicom.operation_sop_class' AND peer_id IS NOT NULL
GROUP BY ALL
