-- One device with its addresses and open findings.
WITH concern AS (
    -- A finding about an identity (a shared key) concerns every device that uses it.
    SELECT device_id, finding_id, rule_id, severity FROM finding WHERE status = 'open' AND device_id = $device
    UNION
    SELECT u.device_id, f.finding_id, f.rule_id, f.severity
    FROM finding AS f
    JOIN identity_use AS u USING (identity_id)
    WHERE f.status = 'open' AND f.device_id IS NULL AND u.device_id = $device
)
SELECT d.device_id, d.label, d.vendor, d.model, d.device_type, d.serial, d.software, d.os, d.role, d.described,
       d.first_ts, d.last_ts,
       (SELECT coalesce(list(DISTINCT ip ORDER BY ip) FILTER (ip IS NOT NULL), []) FROM device_endpoint
        WHERE device_id = $device) AS ips,
       (SELECT coalesce(list(DISTINCT mac ORDER BY mac) FILTER (mac IS NOT NULL), []) FROM device_endpoint
        WHERE device_id = $device) AS macs,
       (SELECT coalesce(list(DISTINCT scope ORDER BY scope), []) FROM device_endpoint
        WHERE device_id = $device) AS scopes,
       (SELECT count(*) FROM concern) AS open_findings,
       (SELECT arg_min(severity, list_position(['critical', 'high', 'medium', 'low', 'info'], severity))
        FROM concern) AS worst,
       d.why
FROM device AS d
WHERE d.device_id = $device
