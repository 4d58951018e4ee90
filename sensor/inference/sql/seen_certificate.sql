-- fact_certificate with its content and devices. `details` is the certificate's JSON; `identity_id` is set for end entities' keys.
CREATE OR REPLACE TEMP TABLE seen_certificate AS
WITH content AS (
    SELECT t.*
    FROM certificate AS t
    JOIN capture USING (reading)
    QUALIFY row_number() OVER (PARTITION BY sha256 ORDER BY parser_set DESC, capture) = 1
)
SELECT f.day, e.device_id, e.device_id AS speaker_id, p.device_id AS peer_id, e.internal, p.internal AS peer_internal,
    f.scope, f.side, f.mac, f.ip, f.peer_mac, f.peer_ip, f.port, f.transport, f.protocol, f.about, f.continued,
    f.role, f.position, f.sha256,
    CASE WHEN f.position = 0
        THEN identity_id('certificate-key', '', '', coalesce(c.spki_sha256, f.sha256)) END AS identity_id,
    coalesce(c.spki_sha256, f.sha256) AS key_sha256, c.spki_sha256, c.subject_name, c.issuer, c.serial, c.not_before, c.not_after,
    c.key_type, c.key_bits, c.signature, c.sans, c.self_signed, c.is_ca, coalesce(c.personal, FALSE) AS personal,
    coalesce(c.details, '{}') AS details, json_extract_string(c.details, '$.common_name') AS common_name,
    json_extract_string(c.details, '$.organization') AS organization,
    f.first_ts, f.last_ts, f.n, f.hours, r.capture, f.frame, f.community_id, f.midstream, f.gap, f.one_sided
FROM fact_certificate AS f
JOIN capture AS r ON r.reading = f.reading
LEFT JOIN content AS c ON c.sha256 = f.sha256
LEFT JOIN endpoint_device AS e
    ON e.scope = f.scope AND e.mac IS NOT DISTINCT FROM f.mac AND e.ip IS NOT DISTINCT FROM f.ip
LEFT JOIN endpoint_device AS p
    ON p.scope = f.scope AND p.mac IS NOT DISTINCT FROM f.peer_mac AND p.ip IS NOT DISTINCT FROM f.peer_ip
