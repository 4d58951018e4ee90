-- MAC addresses that were seen with one IP address side by side: on one day at the same time, or on two days at least. When
-- an address moves from one machine to another, they are seen on one day one after the other.
WITH told AS (
    SELECT reading, day, place, min(first_ts) AS first_ts, max(last_ts) AS last_ts FROM fact_attribute GROUP BY ALL
    UNION ALL SELECT reading, day, place, first_ts, last_ts FROM fact_channel
    UNION ALL SELECT reading, day, place, first_ts, last_ts FROM fact_certificate
    UNION ALL SELECT reading, day, place, first_ts, last_ts FROM fact_authentication
), seen AS (
    SELECT p.scope, p.mac, p.ip, p.peer_mac, p.peer_ip, p.day, t.first_ts, t.last_ts
    FROM told AS t JOIN place AS p ON p.reading = t.reading AND p.day = t.day AND p.id = t.place
    UNION ALL SELECT k.scope, initiator_mac, initiator_ip, responder_mac, responder_ip, day, first_ts, last_ts
    FROM fact_conversation AS f JOIN kind AS k ON k.reading = f.reading AND k.id = f.kind
), pairs AS (
    SELECT scope, mac, ip, day, first_ts, last_ts FROM seen
    UNION ALL SELECT scope, peer_mac, peer_ip, day, first_ts, last_ts FROM seen
    UNION ALL SELECT scope, mac, ip, CAST(first_ts AS DATE), first_ts, last_ts FROM binding
), held AS (
    SELECT scope, mac, ip, day, min(first_ts) AS first_ts, max(last_ts) AS last_ts
    FROM pairs
    WHERE mac IS NOT NULL AND ip IS NOT NULL
    GROUP BY scope, mac, ip, day
), contested AS (
    SELECT scope, ip, day FROM held GROUP BY scope, ip, day HAVING count(*) BETWEEN 2 AND 16 -- more, and somebody is making them up
), disputed AS (
    SELECT held.* FROM held JOIN contested USING (scope, ip, day)
)
SELECT one.scope, mac_text(one.mac), one.ip, mac_text(other.mac)
FROM disputed AS one
JOIN disputed AS other ON one.scope = other.scope AND one.ip = other.ip AND one.day = other.day AND one.mac <> other.mac
GROUP BY one.scope, one.mac, one.ip, other.mac
HAVING count(*) > 1 OR bool_or(one.first_ts <= other.last_ts AND other.first_ts <= one.last_ts)
