-- Devices by label, with their addresses and open findings.
WITH address AS (
    SELECT device_id,
           list(DISTINCT ip ORDER BY ip) FILTER (ip IS NOT NULL) AS ips,
           list(DISTINCT mac ORDER BY mac) FILTER (mac IS NOT NULL) AS macs,
           list(DISTINCT scope ORDER BY scope) AS scopes
    FROM device_endpoint
    GROUP BY device_id
),
open_finding AS (
    SELECT device_id, count(*) AS open_findings,
           arg_min(severity, list_position(['critical', 'high', 'medium', 'low', 'info'], severity)) AS worst
    FROM finding
    WHERE status = 'open' AND device_id IS NOT NULL
    GROUP BY device_id
)
SELECT d.device_id, d.label, d.vendor, d.model, d.device_type, d.serial, d.software, d.os, d.role, d.described,
       d.first_ts, d.last_ts,
       coalesce(a.ips, []) AS ips, coalesce(a.macs, []) AS macs, coalesce(a.scopes, []) AS scopes,
       coalesce(f.open_findings, 0) AS open_findings, f.worst
FROM device AS d
LEFT JOIN address AS a USING (device_id)
LEFT JOIN open_finding AS f USING (device_id)
WHERE ($q::VARCHAR IS NULL OR contains(lower(concat_ws(chr(10), d.label, d.vendor, d.model, d.device_type, d.serial,
           d.software, d.os, d.role, d.device_id, array_to_string(a.ips, chr(10)), array_to_string(a.macs, chr(10)))), lower($q)))
  AND ($ip::VARCHAR IS NULL OR list_contains(a.ips, $ip))
  AND ($mac::VARCHAR IS NULL OR list_contains(a.macs, $mac))
  AND ($scope::VARCHAR IS NULL OR list_contains(a.scopes, $scope))
  AND ($vendor::VARCHAR IS NULL OR lower(d.vendor) = lower($vendor))
  AND ($device_type::VARCHAR IS NULL OR lower(d.device_type) = lower($device_type))
  AND ($described::BOOLEAN IS NULL OR d.described = $described)
  AND ($since::TIMESTAMP IS NULL OR d.last_ts >= $since)
  AND ($until::TIMESTAMP IS NULL OR d.first_ts < $until)
  AND ($severity::VARCHAR[] IS NULL OR EXISTS (
           SELECT 1 FROM finding AS s
           WHERE s.device_id = d.device_id AND s.status = 'open' AND list_contains($severity, s.severity)))
  AND ($rule::VARCHAR IS NULL OR EXISTS (
           SELECT 1 FROM finding AS s WHERE s.device_id = d.device_id AND s.status = 'open' AND s.rule_id = $rule))
  AND ($after_label::VARCHAR IS NULL OR (d.label, d.device_id) > ($after_label, $after_device_id))
ORDER BY d.label, d.device_id
LIMIT $row_limit
