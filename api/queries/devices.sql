-- Devices by label, with their addresses and open findings. The page is chosen first; only its rows are then adorned.
WITH concern AS (
    -- A finding about an identity (a shared key) concerns every device that uses it.
    SELECT device_id, finding_id, rule_id, severity FROM finding WHERE status = 'open' AND device_id IS NOT NULL
    UNION
    SELECT u.device_id, f.finding_id, f.rule_id, f.severity
    FROM finding AS f
    JOIN identity_use AS u USING (identity_id)
    WHERE f.status = 'open' AND f.device_id IS NULL
), page AS (
    SELECT d.*
    FROM device AS d
    WHERE ($q::VARCHAR IS NULL
           OR contains(lower(concat_ws(chr(10), d.label, d.vendor, d.model, d.device_type, d.serial, d.software, d.os,
                                       d.role, d.device_id)), lower($q))
           OR d.device_id IN (SELECT e.device_id FROM device_endpoint AS e
                              WHERE contains(concat_ws(chr(10), e.ip, e.mac), lower($q))))
      AND ($ip::VARCHAR IS NULL OR d.device_id IN (SELECT e.device_id FROM device_endpoint AS e WHERE e.ip = $ip))
      AND ($mac::VARCHAR IS NULL OR d.device_id IN (SELECT e.device_id FROM device_endpoint AS e WHERE e.mac = $mac))
      AND ($scope::VARCHAR IS NULL OR d.device_id IN (SELECT e.device_id FROM device_endpoint AS e WHERE e.scope = $scope))
      AND ($vendor::VARCHAR IS NULL OR lower(d.vendor) = lower($vendor))
      AND ($device_type::VARCHAR IS NULL OR lower(d.device_type) = lower($device_type))
      AND ($described::BOOLEAN IS NULL OR d.described = $described)
      AND ($since::TIMESTAMP IS NULL OR d.last_ts >= $since)
      AND ($until::TIMESTAMP IS NULL OR d.first_ts < $until)
      AND ($severity::VARCHAR[] IS NULL OR d.device_id IN (
               SELECT c.device_id FROM concern AS c WHERE list_contains($severity, c.severity)))
      AND ($rule::VARCHAR IS NULL OR d.device_id IN (SELECT c.device_id FROM concern AS c WHERE c.rule_id = $rule))
      AND ($after_label::VARCHAR IS NULL OR (d.label, d.device_id) > ($after_label, $after_device_id))
    ORDER BY d.label, d.device_id
    LIMIT $row_limit
), address AS (
    SELECT device_id,
           list(DISTINCT ip ORDER BY ip) FILTER (ip IS NOT NULL) AS ips,
           list(DISTINCT mac ORDER BY mac) FILTER (mac IS NOT NULL) AS macs,
           list(DISTINCT scope ORDER BY scope) AS scopes
    FROM device_endpoint
    WHERE device_id IN (SELECT device_id FROM page)
    GROUP BY device_id
), open_finding AS (
    SELECT device_id, count(*) AS open_findings,
           arg_min(severity, list_position(['critical', 'high', 'medium', 'low', 'info'], severity)) AS worst
    FROM concern
    WHERE device_id IN (SELECT device_id FROM page)
    GROUP BY device_id
)
SELECT d.device_id, d.label, d.vendor, d.model, d.device_type, d.serial, d.software, d.os, d.role, d.described,
       d.first_ts, d.last_ts,
       coalesce(a.ips, []) AS ips, coalesce(a.macs, []) AS macs, coalesce(a.scopes, []) AS scopes,
       coalesce(f.open_findings, 0) AS open_findings, f.worst
FROM page AS d
LEFT JOIN address AS a USING (device_id)
LEFT JOIN open_finding AS f USING (device_id)
ORDER BY d.label, d.device_id
