-- Devices for people: those with the worst findings first, then those that are known best.
WITH address AS (
    SELECT device_id, list(DISTINCT ip ORDER BY ip) FILTER (ip IS NOT NULL) AS ips,
           list(DISTINCT mac ORDER BY mac) FILTER (mac IS NOT NULL) AS macs
    FROM device_endpoints
    GROUP BY device_id
), worst AS (
    SELECT device_id, count(*) AS open_findings,
           min(list_position(['critical', 'high', 'medium', 'low', 'info'], severity)) AS severity_rank
    FROM findings
    WHERE status = 'open'
    GROUP BY device_id
)
SELECT d.device_id, d.label, d.vendor, d.model, d.device_type, d.role, d.described,
       coalesce(a.ips, []) AS ips, coalesce(a.macs, []) AS macs,
       ['critical', 'high', 'medium', 'low', 'info'][w.severity_rank] AS worst, coalesce(w.open_findings, 0) AS open_findings
FROM devices AS d
LEFT JOIN address AS a USING (device_id)
LEFT JOIN worst AS w USING (device_id)
ORDER BY d.described, w.severity_rank NULLS LAST, (d.vendor IS NULL)::INTEGER + (d.model IS NULL)::INTEGER, d.label, d.device_id
