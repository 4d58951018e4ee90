-- The findings about a device and about the identities that it uses, open ones first, the worst first.
SELECT severity, rule_id, status, title, json_extract_string(evidence, '$.subject') AS subject, first_ts, last_ts, finding_id
FROM findings
WHERE device_id = $device
    OR (device_id IS NULL AND identity_id IN (SELECT identity_id FROM identity_uses WHERE device_id = $device))
ORDER BY status = 'open' DESC, list_position(['critical', 'high', 'medium', 'low', 'info'], severity), rule_id, finding_id
