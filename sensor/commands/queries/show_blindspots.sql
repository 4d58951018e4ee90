-- What could not be seen of a device, all days together.
WITH reasons AS (
    SELECT reason, sum(reason_count)::BIGINT AS reason_count FROM blindspots WHERE device_id = $device GROUP BY reason
), days AS (
    SELECT sum(conversations)::BIGINT AS conversations, sum(understood)::BIGINT AS understood
    FROM (SELECT DISTINCT day, conversations, understood FROM blindspots WHERE device_id = $device)
)
SELECT d.conversations, d.understood, r.reason, r.reason_count
FROM days AS d
CROSS JOIN reasons AS r
ORDER BY r.reason_count DESC, r.reason
