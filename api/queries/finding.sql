-- One finding.
SELECT f.finding_id, f.rule_id, f.status, f.severity, f.confidence, f.title, f.device_id, d.label AS device_label,
       f.identity_id, i.label AS identity_label, f.scope, f.ip, f.mac, f.first_ts, f.last_ts, f.changed_seq, f.evidence
FROM finding AS f
LEFT JOIN device AS d ON d.device_id = f.device_id
LEFT JOIN identity AS i ON i.identity_id = f.identity_id
WHERE f.finding_id = $finding
