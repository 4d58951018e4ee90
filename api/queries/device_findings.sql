-- The findings about a device and about the identities it uses, the worst first.
SELECT finding_id, rule_id, status, severity, confidence, title, identity_id, first_ts, last_ts
FROM finding
WHERE device_id = $device
   OR (device_id IS NULL AND identity_id IN (SELECT identity_id FROM identity_use WHERE device_id = $device))
ORDER BY status = 'open' DESC, list_position(['critical', 'high', 'medium', 'low', 'info'], severity), finding_id
