-- Who claimed to be whom, and how it was proven: one row per claim, outcome and UTC day. Secrets are keyed digests.
-- Read from several captures, `n` is the sum. `hours`: bit h = seen in hour h (UTC). `capture`, `frame` and `community_id`
-- point to the first sight of that day.
CREATE OR REPLACE VIEW authentications AS
SELECT * EXCLUDE (initiator_port) REPLACE (
    mac_text(mac) AS mac, mac_text(peer_mac) AS peer_mac,
    coalesce(community_id, community_id(transport, ip, own_port(side, port, initiator_port),
        peer_ip, peer_port(side, port, initiator_port))) AS community_id)
FROM kept_authentications
