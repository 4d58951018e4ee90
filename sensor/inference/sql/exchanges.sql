-- Per device: the HL7 messages that it sends and takes, of how many others and applications, the logons that it answers,
-- and the shares that tell what it serves.
WITH messages AS (
    SELECT device_id, peer_id, principal, first_ts, last_ts, n
    FROM seen_authentication
    WHERE mechanism = 'hl7-application' AND device_id IS NOT NULL AND device_id IS DISTINCT FROM peer_id
), logons AS (
    SELECT device_id, peer_id, first_ts, last_ts, n
    FROM seen_authentication
    WHERE protocol = 'smb' AND outcome = 'accepted' AND peer_id IS NOT NULL
), answers AS (
    SELECT DISTINCT peer_id, device_id FROM messages WHERE peer_id IS NOT NULL
)
SELECT 'sends' AS what, device_id, count(DISTINCT peer_id) AS others, count(DISTINCT principal) AS names,
    list_sort(list(DISTINCT lower(split_part(principal, '^', 1)))) AS said,
    min(first_ts) AS first_ts, max(last_ts) AS last_ts, sum(n)::BIGINT AS n
FROM messages
GROUP BY device_id
UNION ALL
SELECT 'takes', peer_id, count(DISTINCT device_id), count(DISTINCT principal), NULL, min(first_ts), max(last_ts), sum(n)::BIGINT
FROM messages
WHERE peer_id IS NOT NULL
GROUP BY peer_id
UNION ALL
SELECT 'acknowledges', speaker_id, 0, 0, list_sort(list(DISTINCT lower(split_part(value, '^', 1)))), min(first_ts), max(last_ts), sum(n)::BIGINT
FROM seen_attribute
WHERE name = 'hl7.sending_application' AND about = 'side' AND side = 'responder'
    AND (speaker_id, peer_id) IN (SELECT peer_id, device_id FROM answers)
GROUP BY speaker_id
UNION ALL
SELECT 'lets in', peer_id, count(DISTINCT device_id), 0, NULL, min(first_ts), max(last_ts), sum(n)::BIGINT
FROM logons
GROUP BY peer_id
UNION ALL
SELECT 'shares', device_id, 0, 0, list_sort(list(DISTINCT lower(value))), min(first_ts), max(last_ts), sum(n)::BIGINT
FROM seen_attribute
WHERE name = 'smb.share' AND device_id IS NOT NULL
GROUP BY device_id
