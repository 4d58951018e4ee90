-- Per device, day, peer and service: conversations, and what stood in the way of seeing an identity in them.
WITH both_sides AS (
    SELECT initiator_id AS device_id, initiator_id, responder_id, * EXCLUDE (initiator_id, responder_id) FROM seen_conversation
    UNION ALL
    SELECT responder_id, initiator_id, responder_id, * EXCLUDE (initiator_id, responder_id)
    FROM seen_conversation
    WHERE responder_id IS DISTINCT FROM initiator_id
), handshakes AS (
    SELECT day, device_id AS responder_id, peer_id AS initiator_id, port, protocol,
        sum(n) FILTER (WHERE json_extract_string(details, '$.certificates_hidden') = 'true')::BIGINT AS hidden,
        sum(n) FILTER (WHERE json_extract_string(details, '$.resumed') = 'true'
            AND json_extract_string(details, '$.certificates_hidden') IS DISTINCT FROM 'true')::BIGINT AS resumed
    FROM seen_channel
    WHERE protocol IN ('tls', 'dtls')
    GROUP BY ALL
), logons AS (
    -- Sessions, not conversations: several in one hide the conversations that had none.
    SELECT day, device_id AS initiator_id, peer_id AS responder_id, port, protocol, sum(n)::BIGINT AS logons,
        sum(n) FILTER (WHERE mechanism = 'kerberos')::BIGINT AS tickets
    FROM seen_authentication
    WHERE protocol = 'smb'
    GROUP BY ALL
), services AS (
    SELECT device_id, initiator_id, responder_id, day, port, protocol,
        CASE WHEN protocol = '' OR confidence = 'port' THEN FALSE ELSE TRUE END AS known,
        sum(n)::BIGINT AS n, (sum(n) FILTER (WHERE protocol = '' AND initiator_bytes + responder_bytes = 0))::BIGINT AS silent,
        sum(unanswered_count)::BIGINT AS unanswered, sum(one_sided_count)::BIGINT AS one_sided,
        sum(midstream_count)::BIGINT AS midstream, sum(gap_count)::BIGINT AS gap
    FROM both_sides
    WHERE device_id IS NOT NULL
    GROUP BY ALL
)
SELECT s.device_id, s.day, s.known, s.n, s.unanswered, s.one_sided, s.midstream, s.gap, coalesce(s.silent, 0) AS silent,
    coalesce(h.hidden, 0) AS hidden, coalesce(h.resumed, 0) AS resumed, coalesce(l.tickets, 0) AS tickets,
    CASE WHEN s.protocol = 'smb' THEN greatest(s.n - coalesce(l.logons, 0), 0) ELSE 0 END AS no_logon
FROM services AS s
LEFT JOIN handshakes AS h
    ON h.day = s.day AND h.port IS NOT DISTINCT FROM s.port AND h.protocol = s.protocol
    AND h.responder_id = s.responder_id AND h.initiator_id = s.initiator_id
LEFT JOIN logons AS l
    ON l.day = s.day AND l.port IS NOT DISTINCT FROM s.port AND l.protocol = s.protocol
    AND l.responder_id = s.responder_id AND l.initiator_id = s.initiator_id
