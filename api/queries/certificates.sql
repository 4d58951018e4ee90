-- Certificates, each once, by hash.
SELECT c.sha256, c.spki_sha256, c.subject_name AS subject, c.issuer, c.serial, c.not_before, c.not_after, c.key_type,
       c.key_bits, c.signature, coalesce(c.sans, []) AS sans, c.self_signed, c.is_ca, c.personal, c.details,
       c.first_ts, c.last_ts, c.n, c.endpoint_count, c.service_count, c.roles
FROM certificates AS c
WHERE ($q::VARCHAR IS NULL OR contains(lower(concat_ws(chr(10), c.subject_name, c.issuer, c.sha256,
           array_to_string(c.sans, chr(10)))), lower($q)))
  AND ($spki_sha256::VARCHAR IS NULL OR c.spki_sha256 = $spki_sha256)
  AND ($key_type::VARCHAR IS NULL OR c.key_type = $key_type)
  AND ($self_signed::BOOLEAN IS NULL OR c.self_signed = $self_signed)
  AND ($is_ca::BOOLEAN IS NULL OR c.is_ca = $is_ca)
  AND ($expires_before::TIMESTAMP IS NULL OR c.not_after < $expires_before)
  AND ($expires_after::TIMESTAMP IS NULL OR c.not_after >= $expires_after)
  AND ($after_sha256::VARCHAR IS NULL OR c.sha256 > $after_sha256)
ORDER BY c.sha256
LIMIT $row_limit
