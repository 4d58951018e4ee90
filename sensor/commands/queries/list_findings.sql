-- All findings, the worst first.
SELECT f.finding_id, f.severity, f.rule_id, f.status, f.confidence, f.title, f.device_id,
       coalesce(d.label, f.ip, f.mac) AS device_label, f.identity_id, i.label AS identity_label, f.scope, f.ip, f.mac,
       f.first_ts, f.last_ts, f.evidence
FROM findings AS f
LEFT JOIN devices AS d ON d.device_id = f.device_id
LEFT JOIN identities AS i ON i.identity_id = f.identity_id
ORDER BY f.status <> 'open', list_position(['critical', 'high', 'medium', 'low', 'info'], f.severity), f.rule_id, f.finding_id
