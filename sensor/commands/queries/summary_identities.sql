-- Identities that several devices use, or that prove nothing or little.
SELECT i.identity_id, i.kind, concat_ws(' of ', i.label, i.realm) AS label, i.belongs_to, i.strength, i.device_count,
       (SELECT list(DISTINCT d.label ORDER BY d.label) FROM identity_uses AS u JOIN devices AS d USING (device_id)
        WHERE u.identity_id = i.identity_id AND (u.outcome IS DISTINCT FROM 'rejected' OR i.kind IN ('ae-title', 'hl7-application'))) AS devices
FROM identities AS i
WHERE i.device_count > 1 OR i.strength IN ('none', 'weak')
ORDER BY i.device_count > 1 DESC, list_position(['none', 'weak', 'fair', 'strong'], i.strength), i.device_count DESC,
         i.kind, i.label, i.identity_id
