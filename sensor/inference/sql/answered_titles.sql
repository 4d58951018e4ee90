-- Devices that accepted associations under one called AE title only.
SELECT peer_id, min(json_extract_string(details, '$.called_ae_title')) AS title,
    min(first_ts) AS first_ts, max(last_ts) AS last_ts, sum(n)::BIGINT AS n
FROM seen_authentication
WHERE mechanism = 'ae-title' AND outcome = 'accepted' AND peer_id IS NOT NULL
    AND json_extract_string(details, '$.called_ae_title') IS NOT NULL
GROUP BY peer_id
HAVING count(DISTINCT json_extract_string(details, '$.called_ae_title')) = 1
