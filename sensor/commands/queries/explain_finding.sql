-- Findings whose id begins so.
SELECT f.finding_id, f.rule_id, f.status, f.severity, f.confidence, f.title, f.device_id, d.label AS device_label,
       d.vendor, d.model, d.device_type, f.identity_id,
       i.label || coalesce(' of ' || i.realm, '') AS identity_label, i.kind AS identity_kind,
       i.strength AS identity_strength, i.device_count, f.scope, f.ip, f.mac, f.first_ts, f.last_ts, f.evidence,
       (SELECT list(DISTINCT coalesce(e.ip, e.mac) ORDER BY coalesce(e.ip, e.mac)) FROM device_endpoints AS e
        WHERE e.device_id = f.device_id) AS addresses
FROM findings AS f
LEFT JOIN devices AS d ON d.device_id = f.device_id
LEFT JOIN identities AS i ON i.identity_id = f.identity_id
WHERE starts_with(f.finding_id, $finding)
ORDER BY f.finding_id <> $finding, f.finding_id
LIMIT 6
