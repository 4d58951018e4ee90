-- Every sight of an identity: keys that were shown, principals that were claimed, AE titles answered to.
WITH claimed AS (
    SELECT *, identity_kind(mechanism) AS kind
    FROM seen_authentication
    WHERE identity_id IS NOT NULL AND device_id IS NOT NULL
), called AS (
    SELECT *, json_extract_string(details, '$.called_ae_title') AS title
    FROM seen_authentication
    WHERE mechanism = 'ae-title' AND outcome = 'accepted' AND peer_id IS NOT NULL
)
SELECT identity_id, 'certificate-key' AS kind, '' AS realm,
    CASE WHEN personal THEN 'a person''s certificate'
        ELSE coalesce(common_name, sans[1], subject_name, 'key ' || left(key_sha256, 16)) END AS label,
    device_id, peer_id, 'shows' AS use, protocol, port, NULL::VARCHAR AS outcome, NULL::VARCHAR AS protection,
    min(first_ts) AS first_ts, max(last_ts) AS last_ts, sum(n)::BIGINT AS n, list_sort(list(DISTINCT day)) AS days,
    role, personal, key_type, key_bits, signature, self_signed, list_sort(sans) AS sans, organization,
    min(not_before) AS since, NULL::VARCHAR AS mechanism
FROM seen_certificate
WHERE position = 0 AND device_id IS NOT NULL
GROUP BY ALL
UNION ALL
SELECT identity_id, kind, coalesce(realm, ''), coalesce(principal, 'a person''s certificate'),
    device_id, peer_id, 'claims', protocol, port, outcome, protection,
    min(first_ts), max(last_ts), sum(n)::BIGINT, list_sort(list(DISTINCT day)),
    CASE WHEN kind = 'certificate-key' THEN 'client' END, kind = 'certificate-key' AND principal IS NULL,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, mechanism
FROM claimed
GROUP BY ALL
UNION ALL
SELECT identity_id('ae-title', scope, '', title), 'ae-title', '', title,
    peer_id, device_id, 'answers_to', protocol, port, outcome, protection,
    min(first_ts), max(last_ts), sum(n)::BIGINT, list_sort(list(DISTINCT day)),
    NULL, FALSE, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM called
WHERE title IS NOT NULL
GROUP BY ALL
