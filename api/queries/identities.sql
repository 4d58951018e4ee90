-- Identities by kind and label.
SELECT i.identity_id, i.kind, i.label, i.realm, i.belongs_to, i.strength, i.device_count, i.first_ts, i.last_ts
FROM identity AS i
WHERE ($q::VARCHAR IS NULL OR contains(lower(concat_ws(chr(10), i.label, i.realm, i.identity_id)), lower($q)))
  AND ($kind::VARCHAR IS NULL OR i.kind = $kind)
  AND ($strength::VARCHAR[] IS NULL OR list_contains($strength, i.strength))
  AND ($belongs_to::VARCHAR IS NULL OR i.belongs_to = $belongs_to)
  AND ($shared::BOOLEAN IS NULL OR (i.device_count > 1) = $shared)
  AND ($since::TIMESTAMP IS NULL OR i.last_ts >= $since)
  AND ($until::TIMESTAMP IS NULL OR i.first_ts < $until)
  AND ($device::VARCHAR IS NULL OR EXISTS (
           SELECT 1 FROM identity_use AS u WHERE u.identity_id = i.identity_id AND u.device_id = $device))
  AND ($protocol::VARCHAR IS NULL OR EXISTS (
           SELECT 1 FROM identity_use AS u WHERE u.identity_id = i.identity_id AND u.protocol = $protocol))
  AND ($after_kind::VARCHAR IS NULL
       OR (i.kind, i.label, i.identity_id) > ($after_kind, $after_label, $after_identity_id))
ORDER BY i.kind, i.label, i.identity_id
LIMIT $row_limit
