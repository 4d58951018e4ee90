-- Findings, the worst first.
WITH ranked AS (
    SELECT f.finding_id, f.rule_id, f.status, f.severity, f.confidence, f.title, f.device_id, d.label AS device_label,
           f.identity_id, i.label AS identity_label, f.scope, f.ip, f.mac, f.first_ts, f.last_ts, f.changed_seq, f.evidence,
           coalesce(list_position(['critical', 'high', 'medium', 'low', 'info'], f.severity), 9)::BIGINT AS severity_rank
    FROM finding AS f
    LEFT JOIN device AS d ON d.device_id = f.device_id
    LEFT JOIN identity AS i ON i.identity_id = f.identity_id
)
SELECT *
FROM ranked
WHERE ($q::VARCHAR IS NULL OR contains(lower(concat_ws(chr(10), title, rule_id, finding_id, device_label, identity_label,
           ip, mac)), lower($q)))
  AND ($severity::VARCHAR[] IS NULL OR list_contains($severity, severity))
  AND ($status::VARCHAR[] IS NULL OR list_contains($status, status))
  AND ($rule::VARCHAR[] IS NULL OR list_contains($rule, rule_id))
  AND ($confidence::VARCHAR IS NULL OR confidence = $confidence)
  AND ($device::VARCHAR IS NULL OR device_id = $device
       OR (device_id IS NULL AND identity_id IN (SELECT u.identity_id FROM identity_use AS u WHERE u.device_id = $device)))
  AND ($identity::VARCHAR IS NULL OR identity_id = $identity)
  AND ($ip::VARCHAR IS NULL OR ip = $ip)
  AND ($mac::VARCHAR IS NULL OR mac = $mac)
  AND ($scope::VARCHAR IS NULL OR scope = $scope)
  AND ($since::TIMESTAMP IS NULL OR last_ts >= $since)
  AND ($until::TIMESTAMP IS NULL OR first_ts < $until)
  AND ($after_severity_rank::BIGINT IS NULL
       OR (severity_rank, finding_id) > ($after_severity_rank, $after_finding_id))
ORDER BY severity_rank, finding_id
LIMIT $row_limit
