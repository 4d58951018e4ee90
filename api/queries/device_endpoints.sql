-- Where a device was seen.
SELECT scope, mac, ip, first_ts, last_ts, reason
FROM device_endpoint
WHERE device_id = $device
ORDER BY first_ts, scope, ip NULLS FIRST, mac NULLS FIRST
