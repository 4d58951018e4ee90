-- Devices that this names: by id (also one that led to it once), address, or name.
WITH RECURSIVE step(id, depth) AS (
    SELECT $device::VARCHAR, 0
    UNION ALL
    SELECT a.now_id, s.depth + 1
    FROM step AS s
    JOIN device_alias AS a ON a.device_id = s.id
    WHERE s.depth < 32
), address AS (
    SELECT DISTINCT device_id FROM device_endpoints WHERE ip = lower($device) OR mac = lower($device)
)
SELECT device_id, label, vendor, model, device_type, serial, software, os, role, described, first_ts, last_ts, why
FROM devices
WHERE device_id IN (SELECT id FROM step) OR device_id IN (SELECT device_id FROM address)
    OR lower(label) = lower($device) OR starts_with(lower(label), lower($device) || ' (')
    OR (length($device) > 4 AND starts_with(device_id, $device))
ORDER BY device_id
LIMIT 6
