-- The findings about a device, the worst first.
SELECT finding_id, rule_id, status, severity, confidence, title, identity_id, first_ts, last_ts
FROM finding
WHERE device_id = $device
ORDER BY status = 'open' DESC, list_position(['critical', 'high', 'medium', 'low', 'info'], severity), finding_id
