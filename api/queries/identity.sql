-- One identity. Its secrets stand apart from the other reasons.
SELECT identity_id, kind, label, realm, belongs_to, strength, device_count, first_ts, last_ts,
       json_merge_patch(why, '{"secrets": null}') AS why, coalesce(json_extract(why, '$.secrets'), '[]') AS secrets
FROM identity
WHERE identity_id = $identity
