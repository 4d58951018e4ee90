-- Names of devices in what they authenticate with: the one HL7 application that a device sends as, the one machine
-- account that it logs on with, the one host whose Kerberos services it answers to.
SELECT device_id, split_part(min(principal), '^', 1) AS name, 'the HL7 application that it sends as' AS source, 0.5::DOUBLE AS certainty,
    min(first_ts) AS first_ts, max(last_ts) AS last_ts, sum(n)::BIGINT AS n
FROM seen_authentication
WHERE mechanism = 'hl7-application' AND device_id IS NOT NULL AND principal IS NOT NULL
GROUP BY device_id
HAVING count(DISTINCT principal) = 1 AND split_part(min(principal), '^', 1) <> ''
UNION ALL
SELECT device_id, rtrim(min(principal), '$'), 'its machine account', 0.7,
    min(first_ts), max(last_ts), sum(n)::BIGINT
FROM seen_authentication
WHERE identity_kind(mechanism) = 'account' AND outcome = 'accepted' AND principal LIKE '_%$' AND device_id IS NOT NULL
GROUP BY device_id
HAVING count(DISTINCT lower(principal)) = 1
UNION ALL
SELECT peer_id, min(lower(regexp_extract(json_extract_string(details, '$.service'), '^[^/]+/([^./]+)', 1))) AS host,
    'the Kerberos service that it answers to', 0.6, min(first_ts), max(last_ts), sum(n)::BIGINT
FROM seen_authentication
WHERE mechanism = 'kerberos' AND outcome = 'accepted' AND peer_id IS NOT NULL
    AND regexp_matches(json_extract_string(details, '$.service'), '^[^/]+/[^./]*[^0-9./][^./]*')
GROUP BY peer_id
HAVING count(DISTINCT lower(regexp_extract(json_extract_string(details, '$.service'), '^[^/]+/([^./]+)', 1))) = 1
