-- Ids that lead to this device, over any number of steps.
WITH RECURSIVE step(id, depth) AS (
    SELECT device_id, 1 FROM device_alias WHERE now_id = $device
    UNION ALL
    SELECT a.device_id, s.depth + 1
    FROM step AS s
    JOIN device_alias AS a ON a.now_id = s.id
    WHERE s.depth < 32
)
SELECT DISTINCT id FROM step ORDER BY id
