-- Blind spots: per device and day, how many conversations could show an identity, and why the others could not.
--
-- A conversation has one reason, the first that holds: unanswered, one-sided, mid-stream, loss, no payload (nobody said
-- anything), unknown protocol, TLS 1.3, resumption, Kerberos (the client's name is inside the ticket), no logon seen (an
-- SMB conversation without one: it was not read to its logon, or goes on with one of before). The counts come from tables
-- that know nothing of each other's conversations (the engine's and the parsers'), so reasons are cut to what is left.
INSERT INTO blindspot BY NAME
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
), counted AS (
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
), cut AS (
    -- how many have one of the reasons up to this one
    SELECT device_id, day, known, n, least(n, unanswered) AS to_unanswered,
        least(n, to_unanswered + one_sided) AS to_one_sided, least(n, to_one_sided + midstream) AS to_midstream,
        least(n, to_midstream + gap) AS to_gap, least(n, to_gap + silent) AS to_silent,
        CASE WHEN known THEN least(n, to_silent + hidden) ELSE to_silent END AS to_hidden,
        CASE WHEN known THEN least(n, to_hidden + resumed) ELSE to_silent END AS to_resumed,
        CASE WHEN known THEN least(n, to_resumed + tickets) ELSE to_silent END AS to_tickets,
        CASE WHEN known THEN least(n, to_tickets + no_logon) ELSE to_silent END AS to_no_logon,
        CASE WHEN known THEN to_no_logon ELSE n END AS to_unknown
    FROM counted
), daily AS (
    SELECT device_id, day, sum(n)::BIGINT AS conversations, sum(n - to_unknown)::BIGINT AS understood,
        sum(to_unanswered)::BIGINT AS "unanswered", sum(to_one_sided - to_unanswered)::BIGINT AS "one-sided",
        sum(to_midstream - to_one_sided)::BIGINT AS "mid-stream", sum(to_gap - to_midstream)::BIGINT AS "loss",
        sum(to_silent - to_gap)::BIGINT AS "no payload", sum(to_hidden - to_silent)::BIGINT AS "TLS 1.3",
        sum(to_resumed - to_hidden)::BIGINT AS "resumption", sum(to_tickets - to_resumed)::BIGINT AS "Kerberos",
        sum(to_no_logon - to_tickets)::BIGINT AS "no logon seen",
        sum(to_unknown - to_no_logon)::BIGINT AS "unknown protocol"
    FROM cut
    GROUP BY device_id, day
)
SELECT device_id, day, conversations, understood, reason, reason_count
FROM daily
UNPIVOT (reason_count FOR reason IN ("unanswered", "one-sided", "mid-stream", "loss", "no payload", "TLS 1.3", "resumption",
    "Kerberos", "no logon seen", "unknown protocol"))
WHERE reason_count > 0
UNION ALL
SELECT device_id, day, conversations, understood, 'none', 0 FROM daily WHERE understood = conversations
