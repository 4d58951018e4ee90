-- Tables have no primary keys; this says where a key stands twice. No row: the store is sound.
SELECT name, row_count, key_count
FROM (
    SELECT 'device' AS name, count(*) AS row_count, count(DISTINCT device_id) AS key_count FROM device
    UNION ALL SELECT 'identity', count(*), count(DISTINCT identity_id) FROM identity
    UNION ALL SELECT 'finding', count(*), count(DISTINCT finding_id) FROM finding
    UNION ALL SELECT 'finding_change', count(*), count(DISTINCT seq) FROM finding_change
    UNION ALL SELECT 'batch', count(*), count(DISTINCT (capture, parser_set, number)) FROM batch
)
WHERE row_count <> key_count
ORDER BY name
