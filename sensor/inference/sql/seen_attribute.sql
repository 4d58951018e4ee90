-- fact_attribute with its devices: `device_id` is the subject's, `speaker_id` that of the side that spoke, `peer_id` the other side's.
CREATE OR REPLACE TEMP TABLE seen_attribute AS
SELECT f.day, coalesce(s.device_id, e.device_id) AS device_id, e.device_id AS speaker_id, p.device_id AS peer_id,
    e.internal, p.internal AS peer_internal,
    w.scope, w.side, e.mac_text AS mac, w.ip, p.mac_text AS peer_mac, w.peer_ip, w.port, w.transport, w.protocol, a.about, w.continued,
    a.name, a.value, a.spec, f.first_ts, f.last_ts, f.n, f.hours, c.capture,
    f.frame, coalesce(f.community_id, flow_id(w.transport, e.ip_digits, own_port(w.side, w.port, f.initiator_port),
        p.ip_digits, peer_port(w.side, w.port, f.initiator_port))) AS community_id,
    f.quality & 16 <> 0 AS midstream, f.quality & 8 <> 0 AS gap, f.quality & 4 <> 0 AS one_sided
FROM fact_attribute AS f
JOIN capture AS c ON c.reading = f.reading
JOIN attribute AS a ON a.reading = f.reading AND a.id = f.attribute
JOIN place AS w ON w.reading = f.reading AND w.day = f.day AND w.id = f.place
LEFT JOIN endpoint_device AS e
    ON e.scope = w.scope AND e.mac IS NOT DISTINCT FROM w.mac AND e.ip IS NOT DISTINCT FROM w.ip
LEFT JOIN endpoint_device AS p
    ON p.scope = w.scope AND p.mac IS NOT DISTINCT FROM w.peer_mac AND p.ip IS NOT DISTINCT FROM w.peer_ip
LEFT JOIN subject_device AS s
    ON s.scope = w.scope AND s.mac IS NOT DISTINCT FROM w.mac AND s.ip IS NOT DISTINCT FROM w.ip AND s.about = a.about
