-- Every address pair with the days on which it was seen. A broadcast's receiver is no endpoint; addresses.py sorts it out.
WITH told AS (
    SELECT reading, day, place, min(first_ts) AS first_ts, max(last_ts) AS last_ts FROM fact_attribute GROUP BY ALL
    UNION ALL SELECT reading, day, place, first_ts, last_ts FROM fact_channel
    UNION ALL SELECT reading, day, place, first_ts, last_ts FROM fact_certificate
    UNION ALL SELECT reading, day, place, first_ts, last_ts FROM fact_authentication
    UNION ALL SELECT reading, day, place, first_ts, last_ts FROM fact_anomaly
), seen AS (
    SELECT p.scope, p.mac, p.ip, p.peer_mac, p.peer_ip, p.day, t.first_ts, t.last_ts
    FROM told AS t JOIN place AS p ON p.reading = t.reading AND p.day = t.day AND p.id = t.place
    UNION ALL SELECT k.scope, initiator_mac, initiator_ip, responder_mac, responder_ip, day, first_ts, last_ts
    FROM fact_conversation AS f JOIN kind AS k ON k.reading = f.reading AND k.id = f.kind
), pairs AS (
    SELECT scope, mac, ip, day, first_ts, last_ts FROM seen
    UNION ALL SELECT scope, peer_mac, peer_ip, day, first_ts, last_ts FROM seen
    UNION ALL SELECT scope, mac, ip, CAST(first_ts AS DATE), first_ts, last_ts FROM binding
)
SELECT scope, mac_text(mac), ip, day, min(first_ts) AS first_ts, max(last_ts) AS last_ts
FROM pairs
WHERE mac IS NOT NULL OR ip IS NOT NULL
GROUP BY scope, mac, ip, day
