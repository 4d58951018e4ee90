-- All certificates, each once.
SELECT sha256, spki_sha256, subject_name AS subject, issuer, serial, not_before, not_after, key_type, key_bits,
       concat_ws(' ', key_type, key_bits) AS key, signature, sans, self_signed, is_ca, personal, roles,
       endpoint_count, service_count, first_ts, last_ts, n, details
FROM certificates
ORDER BY subject_name, sha256
