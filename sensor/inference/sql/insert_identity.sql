INSERT INTO identity (identity_id, kind, label, realm, belongs_to, strength, device_count, first_ts, last_ts, why)
SELECT * FROM incoming
