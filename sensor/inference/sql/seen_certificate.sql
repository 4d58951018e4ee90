-- fact_certificate with its content and devices. `details` is the certificate's JSON; `identity_id` is set for end entities' keys.
CREATE OR REPLACE TEMP TABLE seen_certificate AS
WITH content AS (
    SELECT t.*
    FROM certificate AS t
    JOIN capture USING (reading)
    QUALIFY row_number() OVER (PARTITION BY sha256 ORDER BY parser_set DESC, capture) = 1
)
SELECT f.day, e.device_id, e.device_id AS speaker_id, p.device_id AS peer_id, e.internal, p.internal AS peer_internal,
    w.scope, w.side, e.mac_text AS mac, w.ip, p.mac_text AS peer_mac, w.peer_ip, w.port, w.transport, w.protocol, f.about, w.continued,
    f.role, f.position, f.sha256,
    CASE WHEN f.position = 0
        THEN identity_id('certificate-key', '', '', coalesce(c.spki_sha256, f.sha256)) END AS identity_id,
    coalesce(c.spki_sha256, f.sha256) AS key_sha256, c.spki_sha256, c.subject_name, c.issuer, c.serial, c.not_before, c.not_after,
    c.key_type, c.key_bits, c.signature, c.sans, c.self_signed, c.is_ca, coalesce(c.personal, FALSE) AS personal,
    coalesce(c.details, '{}') AS details, json_extract_string(c.details, '$.common_name') AS common_name,
    json_extract_string(c.details, '$.organization') AS organization,
    f.first_ts, f.last_ts, f.n, f.hours, r.capture,
    f.frame, coalesce(f.community_id, flow_id(w.transport, e.ip_digits, own_port(w.side, w.port, f.initiator_port),
        p.ip_digits, peer_port(w.side, w.port, f.initiator_port))) AS community_id,
    f.quality & 16 <> 0 AS midstream, f.quality & 8 <> 0 AS gap, f.quality & 4 <> 0 AS one_sided
FROM fact_certificate AS f
JOIN capture AS r ON r.reading = f.reading
JOIN place AS w ON w.reading = f.reading AND w.day = f.day AND w.id = f.place
LEFT JOIN content AS c ON c.sha256 = f.sha256
LEFT JOIN endpoint_device AS e
    ON e.scope = w.scope AND e.mac IS NOT DISTINCT FROM w.mac AND e.ip IS NOT DISTINCT FROM w.ip
LEFT JOIN endpoint_device AS p
    ON p.scope = w.scope AND p.mac IS NOT DISTINCT FROM w.peer_mac AND p.ip IS NOT DISTINCT FROM w.peer_ip
