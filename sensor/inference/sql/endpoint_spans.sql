-- Every address pair, from its first to its last sight. The spans of several days are one: bindings say when it moved.
WITH seen AS (
    SELECT scope, mac, ip, peer_mac, peer_ip, first_ts, last_ts FROM fact_attribute
    UNION ALL SELECT scope, mac, ip, peer_mac, peer_ip, first_ts, last_ts FROM fact_channel
    UNION ALL SELECT scope, mac, ip, peer_mac, peer_ip, first_ts, last_ts FROM fact_certificate
    UNION ALL SELECT scope, mac, ip, peer_mac, peer_ip, first_ts, last_ts FROM fact_authentication
    UNION ALL SELECT scope, mac, ip, peer_mac, peer_ip, first_ts, last_ts FROM fact_anomaly
    UNION ALL SELECT scope, initiator_mac, initiator_ip, responder_mac, responder_ip, first_ts, last_ts FROM fact_conversation
)
SELECT scope, mac, ip, min(first_ts) AS first_ts, max(last_ts) AS last_ts
FROM (
    SELECT scope, mac, ip, first_ts, last_ts FROM seen
    UNION ALL SELECT scope, peer_mac, peer_ip, first_ts, last_ts FROM seen
    UNION ALL SELECT scope, mac, ip, first_ts, last_ts FROM binding
)
GROUP BY scope, mac, ip
ORDER BY scope, mac, ip
