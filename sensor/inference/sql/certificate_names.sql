-- Names in end entities' certificates that one device alone shows, less those that come with software.
WITH shown AS (
    SELECT device_id, sha256, common_name, organization, first_ts, last_ts, n,
        min(device_id) OVER (PARTITION BY sha256) AS least_id, max(device_id) OVER (PARTITION BY sha256) AS greatest_id
    FROM seen_certificate
    WHERE position = 0 AND NOT personal AND device_id IS NOT NULL
)
SELECT device_id, common_name, organization, min(first_ts) AS first_ts, max(last_ts) AS last_ts, sum(n)::BIGINT AS n
FROM shown
WHERE least_id = greatest_id AND coalesce(common_name, '') NOT LIKE '*%'
    AND coalesce(lower(common_name), '') NOT IN (SELECT word FROM vocabulary WHERE list = 'default_certificate_names')
GROUP BY device_id, common_name, organization
