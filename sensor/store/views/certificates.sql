-- Every certificate that was shown: one row per SHA-256 of its DER, with how often and where. `details` is JSON.
CREATE OR REPLACE VIEW certificates AS
WITH content AS (
    SELECT t.* FROM certificate AS t JOIN capture USING (reading)
    QUALIFY row_number() OVER (PARTITION BY sha256 ORDER BY parser_set DESC, capture) = 1
), shown AS (
    SELECT f.sha256, min(f.first_ts) AS first_ts, max(f.last_ts) AS last_ts, CAST(sum(f.n) AS BIGINT) AS n,
        count(DISTINCT f.day) AS day_count,
        count(DISTINCT (p.scope, coalesce(p.ip, mac_text(p.mac)))) AS endpoint_count,
        count(DISTINCT (p.scope, coalesce(p.ip, mac_text(p.mac)), p.port)) FILTER (WHERE p.side = 'responder') AS service_count,
        list_sort(list(DISTINCT f.role)) AS roles
    FROM fact_certificate AS f
    JOIN place AS p ON p.reading = f.reading AND p.day = f.day AND p.id = f.place
    GROUP BY f.sha256
)
SELECT c.sha256, c.spki_sha256, c.subject_name, c.issuer, c.serial, c.not_before, c.not_after, c.key_type, c.key_bits,
    c.signature, c.sans, c.self_signed, c.is_ca, c.personal, c.details,
    s.first_ts, s.last_ts, coalesce(s.n, 0) AS n, coalesce(s.day_count, 0) AS day_count,
    coalesce(s.endpoint_count, 0) AS endpoint_count, coalesce(s.service_count, 0) AS service_count,
    coalesce(s.roles, []) AS roles
FROM content AS c
LEFT JOIN shown AS s ON c.sha256 = s.sha256
