-- Where a device was seen, and why that is it.
SELECT scope, mac, ip, first_ts, last_ts, reason
FROM device_endpoints
WHERE device_id = $device
ORDER BY first_ts, scope, ip NULLS FIRST, mac NULLS FIRST
