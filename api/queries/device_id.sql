-- The device that an id stands for today: itself, or what its aliases lead to.
WITH RECURSIVE step(id, depth) AS (
    SELECT $device::VARCHAR, 0
    UNION ALL
    SELECT a.now_id, s.depth + 1
    FROM step AS s
    JOIN device_alias AS a ON a.device_id = s.id
    WHERE s.depth < 32
)
SELECT d.device_id
FROM step AS s
JOIN device AS d ON d.device_id = s.id
ORDER BY s.depth
LIMIT 1
