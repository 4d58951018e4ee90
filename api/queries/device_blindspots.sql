-- What could not be seen of a device, by day.
SELECT day, conversations, understood, reason, reason_count
FROM blindspot
WHERE device_id = $device
ORDER BY day DESC, reason_count DESC, reason
