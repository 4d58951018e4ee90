-- All devices with their addresses and open findings.
WITH concern AS (
    -- A finding about an identity (a shared key) concerns every device that uses it.
    SELECT device_id, finding_id, rule_id, severity FROM findings WHERE status = 'open' AND device_id IS NOT NULL
    UNION
    SELECT u.device_id, f.finding_id, f.rule_id, f.severity
    FROM findings AS f
    JOIN identity_uses AS u USING (identity_id)
    WHERE f.status = 'open' AND f.device_id IS NULL
)
SELECT d.device_id, d.label, d.vendor, d.model, d.device_type, d.serial, d.software, d.os, d.role, d.described,
       coalesce(e.ips, []) AS ips, coalesce(e.macs, []) AS macs,
       coalesce(f.open_findings, 0) AS open_findings, d.first_ts, d.last_ts, d.why
FROM devices AS d
LEFT JOIN (
    SELECT device_id, list(DISTINCT ip ORDER BY ip) FILTER (ip IS NOT NULL) AS ips,
           list(DISTINCT mac ORDER BY mac) FILTER (mac IS NOT NULL) AS macs
    FROM device_endpoints
    GROUP BY device_id
) AS e USING (device_id)
LEFT JOIN (
    SELECT device_id, count(*) AS open_findings FROM concern GROUP BY device_id
) AS f USING (device_id)
ORDER BY d.label, d.device_id
