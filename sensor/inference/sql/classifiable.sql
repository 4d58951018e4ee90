-- What was said of each device, by itself or by others. Who acknowledges a message says the name that it was addressed by,
-- right or wrong: that is no name of its own.
WITH called AS (
    SELECT DISTINCT device_id, value FROM seen_attribute WHERE name = 'hl7.receiving_application' AND side = 'responder'
)
SELECT a.device_id, a.name, a.value, a.about <> 'side' AS described, a.side,
    min(a.first_ts) AS first_ts, max(a.last_ts) AS last_ts, sum(a.n)::BIGINT AS n
FROM seen_attribute AS a
LEFT JOIN called AS c ON c.device_id = a.device_id AND c.value = a.value AND a.side = 'responder' AND a.name = 'hl7.sending_application'
WHERE a.device_id IS NOT NULL AND c.device_id IS NULL
GROUP BY a.device_id, a.name, a.value, a.about <> 'side', a.side
