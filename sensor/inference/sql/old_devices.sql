-- What stood before this inference: ids, the ids that they now stand for, and the addresses of devices.
SELECT 'device' AS what, device_id, NULL AS now_id, NULL AS scope, NULL AS mac, NULL AS ip FROM device
UNION ALL SELECT 'alias', device_id, now_id, NULL, NULL, NULL FROM device_alias
UNION ALL SELECT 'endpoint', device_id, NULL, scope, mac, ip FROM device_endpoint
