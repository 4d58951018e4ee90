-- One device with its addresses and open findings.
SELECT d.device_id, d.label, d.vendor, d.model, d.device_type, d.serial, d.software, d.os, d.role, d.described,
       d.first_ts, d.last_ts,
       (SELECT coalesce(list(DISTINCT ip ORDER BY ip) FILTER (ip IS NOT NULL), []) FROM device_endpoint
        WHERE device_id = $device) AS ips,
       (SELECT coalesce(list(DISTINCT mac ORDER BY mac) FILTER (mac IS NOT NULL), []) FROM device_endpoint
        WHERE device_id = $device) AS macs,
       (SELECT coalesce(list(DISTINCT scope ORDER BY scope), []) FROM device_endpoint
        WHERE device_id = $device) AS scopes,
       (SELECT count(*) FROM finding WHERE device_id = $device AND status = 'open') AS open_findings,
       (SELECT arg_min(severity, list_position(['critical', 'high', 'medium', 'low', 'info'], severity)) FROM finding
        WHERE device_id = $device AND status = 'open') AS worst,
       d.why
FROM device AS d
WHERE d.device_id = $device
