-- One certificate.
SELECT c.sha256, c.spki_sha256, c.subject_name AS subject, c.issuer, c.serial, c.not_before, c.not_after, c.key_type,
       c.key_bits, c.signature, coalesce(c.sans, []) AS sans, c.self_signed, c.is_ca, c.personal, c.details,
       c.first_ts, c.last_ts, c.n, c.endpoint_count, c.service_count, c.roles
FROM certificates AS c
WHERE c.sha256 = $sha256
