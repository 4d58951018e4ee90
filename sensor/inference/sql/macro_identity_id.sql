-- An identity's id. Keys of certificates have neither scope nor realm: they are the same wherever they turn up.
CREATE OR REPLACE TEMP MACRO identity_id(kind, scope, realm, name) AS
    'id-' || left(sha256(concat_ws(chr(31), kind, scope, coalesce(realm, ''), name)), 16)
