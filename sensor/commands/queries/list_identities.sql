-- All identities.
SELECT identity_id, kind, label, realm, belongs_to, strength, device_count, first_ts, last_ts, why
FROM identities
ORDER BY kind, label, identity_id
