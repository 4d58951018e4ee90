-- fact_authentication with its devices: `device_id` is the subject's, `speaker_id` that of the side that spoke, `peer_id` the other side's.
CREATE OR REPLACE TEMP TABLE seen_authentication AS
SELECT f.day, coalesce(s.device_id, e.device_id) AS device_id, e.device_id AS speaker_id, p.device_id AS peer_id,
    e.internal, p.internal AS peer_internal,
    w.scope, w.side, e.mac_text AS mac, w.ip, p.mac_text AS peer_mac, w.peer_ip, w.port, w.transport, w.protocol, f.about, w.continued,
    CASE WHEN f.mechanism = 'tls-client-certificate' AND json_extract_string(f.details, '$.sha256') IS NULL
            AND json_extract_string(f.details, '$.spki_sha256') IS NULL THEN NULL
        WHEN f.mechanism = 'tls-client-certificate'
        THEN identity_id('certificate-key', '', '',
            coalesce(json_extract_string(f.details, '$.spki_sha256'), json_extract_string(f.details, '$.sha256')))
        ELSE claimed_identity(f.mechanism, w.scope, f.realm, f.principal, f.details)
    END AS identity_id,
    f.mechanism, f.principal, f.realm, f.secret_digest, f.secret_principal_digest, f.secret_class, f.secret_length, f.key_epoch, f.outcome, f.protection, f.details,
    f.first_ts, f.last_ts, f.n, f.hours, c.capture,
    f.frame, coalesce(f.community_id, flow_id(w.transport, e.ip_digits, own_port(w.side, w.port, f.initiator_port),
        p.ip_digits, peer_port(w.side, w.port, f.initiator_port))) AS community_id,
    f.quality & 16 <> 0 AS midstream, f.quality & 8 <> 0 AS gap, f.quality & 4 <> 0 AS one_sided
FROM fact_authentication AS f
JOIN capture AS c ON c.reading = f.reading
JOIN place AS w ON w.reading = f.reading AND w.day = f.day AND w.id = f.place
LEFT JOIN endpoint_device AS e
    ON e.scope = w.scope AND e.mac IS NOT DISTINCT FROM w.mac AND e.ip IS NOT DISTINCT FROM w.ip
LEFT JOIN endpoint_device AS p
    ON p.scope = w.scope AND p.mac IS NOT DISTINCT FROM w.peer_mac AND p.ip IS NOT DISTINCT FROM w.peer_ip
LEFT JOIN subject_device AS s
    ON s.scope = w.scope AND s.mac IS NOT DISTINCT FROM w.mac AND s.ip IS NOT DISTINCT FROM w.ip AND s.about = f.about
