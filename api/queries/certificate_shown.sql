-- Where a certificate was shown.
SELECT scope, ip, mac, port, protocol, side, role, position,
       count(DISTINCT concat_ws(' ', peer_ip, peer_mac)) AS peers,
       sum(n)::BIGINT AS n, min(first_ts) AS first_ts, max(last_ts) AS last_ts
FROM certificate_sightings
WHERE sha256 = $sha256
GROUP BY ALL
ORDER BY scope, ip, mac, port, protocol, side, role, position
