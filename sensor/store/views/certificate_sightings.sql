-- Who showed which certificate: one row per side, certificate and UTC day. `position` 0 is the end entity.
-- Read from several captures, `n` is the sum. `hours`: bit h = seen in hour h (UTC). `capture`, `frame` and `community_id`
-- point to the first sight of that day.
CREATE OR REPLACE VIEW certificate_sightings AS
SELECT * EXCLUDE (initiator_port) REPLACE (
    mac_text(mac) AS mac, mac_text(peer_mac) AS peer_mac,
    coalesce(community_id, community_id(transport, ip, own_port(side, port, initiator_port),
        peer_ip, peer_port(side, port, initiator_port))) AS community_id)
FROM (
    SELECT f.day, f.id, p.scope, p.side, p.mac, p.ip, p.peer_mac, p.peer_ip, p.port, p.transport, p.protocol, f.about, p.continued,
        f.role, f.position, f.sha256,
        min(f.first_ts) AS first_ts, max(f.last_ts) AS last_ts, CAST(sum(f.n) AS BIGINT) AS n, bit_or(f.hours) AS hours,
        arg_min(c.capture, (f.first_ts, f.frame, c.capture)) AS capture, arg_min(f.frame, (f.first_ts, f.frame, c.capture)) AS frame,
        arg_min_null(f.community_id, (f.first_ts, f.frame, c.capture)) AS community_id,
        arg_min_null(f.initiator_port, (f.first_ts, f.frame, c.capture)) AS initiator_port,
        min(f.quality) & 16 <> 0 AS midstream, min(f.quality) & 8 <> 0 AS gap, min(f.quality) & 4 <> 0 AS one_sided,
        min(f.quality) & 2 <> 0 AS truncated, min(f.quality) & 1 <> 0 AS duplicate
    FROM fact_certificate AS f
    JOIN capture AS c ON c.reading = f.reading
    JOIN place AS p ON p.reading = f.reading AND p.day = f.day AND p.id = f.place
    GROUP BY ALL
)
