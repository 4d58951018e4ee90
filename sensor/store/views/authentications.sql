-- Who claimed to be whom, and how it was proven: one row per claim, outcome and UTC day. Secrets are keyed digests.
-- Read from several captures, `n` is the sum. `hours`: bit h = seen in hour h (UTC). `capture`, `frame` and `community_id`
-- point to the first sight of that day.
CREATE OR REPLACE VIEW authentications AS
SELECT day, id, scope, side, mac, ip, peer_mac, peer_ip, port, transport, protocol, about, continued,
    mechanism, principal, realm, secret_digest, secret_principal_digest, secret_class, secret_length, key_epoch,
    outcome, protection, details,
    min(first_ts) AS first_ts, max(last_ts) AS last_ts, CAST(sum(n) AS BIGINT) AS n, bit_or(hours) AS hours,
    arg_min(capture, (first_ts, frame, capture)) AS capture, arg_min(frame, (first_ts, frame, capture)) AS frame,
    arg_min_null(community_id, (first_ts, frame, capture)) AS community_id,
    bool_or(midstream) AS midstream, bool_or(gap) AS gap, bool_or(one_sided) AS one_sided,
    coalesce(bool_or(truncated), false) AS truncated, coalesce(bool_or(duplicate), false) AS duplicate
FROM fact_authentication
JOIN (SELECT reading, capture FROM capture) AS c USING (reading)
GROUP BY ALL
