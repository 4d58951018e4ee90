-- All evidence about a device, the losing kind too.
SELECT name, value, source, certainty, chosen, first_ts, last_ts, n
FROM device_attribute
WHERE device_id = $device
ORDER BY name, chosen DESC, certainty DESC, value, source
