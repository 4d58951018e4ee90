-- Non-human identities: keys, accounts, AE titles, tokens. `why` is JSON.
CREATE OR REPLACE VIEW identities AS
SELECT identity_id, kind, label, realm, belongs_to, strength, device_count, first_ts, last_ts, why
FROM identity
