-- Every sight of an identity: keys that were shown, principals that were claimed, names and services answered to.
WITH claimed AS (
    SELECT *, identity_kind(mechanism) AS kind, account_name(principal, realm) AS account,
        account_realm(stated_realm(principal, realm), details) AS authority
    FROM seen_authentication
    WHERE identity_id IS NOT NULL AND device_id IS NOT NULL
), called AS (
    SELECT *, 'ae-title' AS kind, '' AS of_realm, json_extract_string(details, '$.called_ae_title') AS name
    FROM seen_authentication
    WHERE mechanism = 'ae-title'
    UNION ALL
    SELECT *, 'hl7-application', json_extract_string(details, '$.receiving_facility'), json_extract_string(details, '$.receiving_application')
    FROM seen_authentication
    WHERE mechanism = 'hl7-application'
    UNION ALL
    SELECT *, 'service-principal', realm, json_extract_string(details, '$.service')
    FROM seen_authentication
    WHERE mechanism IN ('kerberos', 'dicom-kerberos')
)
SELECT identity_id, 'certificate-key' AS kind, '' AS realm,
    CASE WHEN personal THEN 'a person''s certificate'
        ELSE coalesce(common_name, sans[1], subject_name, 'key ' || left(key_sha256, 16)) END AS label,
    device_id, peer_id, 'shows' AS use, protocol, port, NULL::VARCHAR AS outcome, NULL::VARCHAR AS protection,
    min(first_ts) AS first_ts, max(last_ts) AS last_ts, sum(n)::BIGINT AS n, list_sort(list(DISTINCT day)) AS days,
    role, personal, key_type, key_bits, signature, self_signed, list_sort(sans) AS sans, organization,
    min(not_before) AS since, NULL::VARCHAR AS mechanism, NULL::VARCHAR AS proof, NULL::VARCHAR AS admitted
FROM seen_certificate
WHERE position = 0 AND device_id IS NOT NULL
GROUP BY ALL
UNION ALL
SELECT identity_id, kind,
    -- The authority in the spelling that was said.
    CASE WHEN kind <> 'account' THEN coalesce(realm, '')
        WHEN authority = lower(stated_realm(principal, realm)) THEN stated_realm(principal, realm)
        ELSE coalesce(json_extract_string(details, '$.target_name'), '') END,
    CASE WHEN kind = 'account' THEN account ELSE coalesce(principal, 'a person''s certificate') END,
    device_id, peer_id, 'claims', protocol, port, outcome, protection,
    min(first_ts), max(last_ts), sum(n)::BIGINT, list_sort(list(DISTINCT day)),
    CASE WHEN kind = 'certificate-key' THEN 'client' END, kind = 'certificate-key' AND principal IS NULL,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, mechanism,
    json_extract_string(details, '$.version'),
    CASE WHEN json_extract_string(details, '$.null') = 'true' THEN 'nobody'
        WHEN json_extract_string(details, '$.guest') = 'true' THEN 'guest' END
FROM claimed
GROUP BY ALL
UNION ALL
SELECT identity_id(kind, scope, of_realm, name), kind, coalesce(of_realm, ''), name,
    peer_id, device_id, 'answers_to', protocol, port, outcome, protection,
    min(first_ts), max(last_ts), sum(n)::BIGINT, list_sort(list(DISTINCT day)),
    NULL, FALSE, NULL, NULL, NULL, NULL, NULL, NULL, NULL, mechanism,
    coalesce(json_extract_string(details, '$.ticket_etype'), json_extract_string(details, '$.etype')), NULL
FROM called
WHERE name IS NOT NULL AND outcome = 'accepted' AND peer_id IS NOT NULL
GROUP BY ALL
