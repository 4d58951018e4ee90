-- All devices with their addresses and open findings.
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
    SELECT device_id, count(*) AS open_findings FROM findings WHERE status = 'open' GROUP BY device_id
) AS f USING (device_id)
ORDER BY d.label, d.device_id
