-- One identity.
SELECT identity_id, kind, label, realm, belongs_to, strength, device_count, first_ts, last_ts, why
FROM identity
WHERE identity_id = $identity
