-- fact_anomaly with its devices: `device_id` is the subject's, `speaker_id` that of the side that spoke, `peer_id` the other side's.
CREATE OR REPLACE TEMP TABLE seen_anomaly AS
SELECT f.day, coalesce(s.device_id, e.device_id) AS device_id, e.device_id AS speaker_id, p.device_id AS peer_id,
    e.internal, p.internal AS peer_internal,
    f.scope, f.side, f.mac, f.ip, f.peer_mac, f.peer_ip, f.port, f.transport, f.protocol, f.about, f.continued,
    f.code, f.detail,
    f.first_ts, f.last_ts, f.n, f.hours, c.capture, f.frame, f.community_id, f.midstream, f.gap, f.one_sided
FROM fact_anomaly AS f
JOIN capture AS c ON c.reading = f.reading
LEFT JOIN endpoint_device AS e
    ON e.scope = f.scope AND e.mac IS NOT DISTINCT FROM f.mac AND e.ip IS NOT DISTINCT FROM f.ip
LEFT JOIN endpoint_device AS p
    ON p.scope = f.scope AND p.mac IS NOT DISTINCT FROM f.peer_mac AND p.ip IS NOT DISTINCT FROM f.peer_ip
LEFT JOIN subject_device AS s
    ON s.scope = f.scope AND s.mac IS NOT DISTINCT FROM f.mac AND s.ip IS NOT DISTINCT FROM f.ip AND s.about = f.about
