-- Devices for people: those with the worst findings first, then those that are known best.
WITH address AS (
    SELECT device_id, list(DISTINCT ip ORDER BY ip) FILTER (ip IS NOT NULL) AS ips,
           list(DISTINCT mac ORDER BY mac) FILTER (mac IS NOT NULL) AS macs
    FROM device_endpoints
    GROUP BY device_id
), concern AS (
    -- A finding about an identity (a shared key) concerns every device that uses it.
    SELECT device_id, finding_id, rule_id, severity FROM findings WHERE status = 'open' AND device_id IS NOT NULL
    UNION
    SELECT u.device_id, f.finding_id, f.rule_id, f.severity
    FROM findings AS f
    JOIN identity_uses AS u USING (identity_id)
    WHERE f.status = 'open' AND f.device_id IS NULL
), worst AS (
    SELECT device_id, count(*) AS open_findings,
           min(list_position(['critical', 'high', 'medium', 'low', 'info'], severity)) AS severity_rank
    FROM concern
    GROUP BY device_id
)
SELECT d.device_id, d.label, d.vendor, d.model, d.device_type, d.role, d.described,
       coalesce(a.ips, []) AS ips, coalesce(a.macs, []) AS macs,
       ['critical', 'high', 'medium', 'low', 'info'][w.severity_rank] AS worst, coalesce(w.open_findings, 0) AS open_findings
FROM devices AS d
LEFT JOIN address AS a USING (device_id)
LEFT JOIN worst AS w USING (device_id)
ORDER BY d.described, w.severity_rank NULLS LAST, (d.vendor IS NULL)::INTEGER + (d.model IS NULL)::INTEGER, d.label, d.device_id
