-- Who talked to whom: one row per pair, service and UTC day. `protocol` '' = not understood; `confidence`: port | probed |
-- confirmed. `interface` and `segment` (VLAN or tunnel): of its first packet. `left_out_bytes` and `lost_bytes` are what we were blind to.
-- Read from several captures, `n` is the sum. `hours`: bit h = seen in hour h (UTC). `capture`, `frame` and `community_id`
-- point to the first sight of that day.
CREATE OR REPLACE VIEW conversations AS
SELECT * EXCLUDE (initiator_port) REPLACE (
    mac_text(initiator_mac) AS initiator_mac, mac_text(responder_mac) AS responder_mac,
    coalesce(community_id, community_id(transport, initiator_ip, initiator_port, responder_ip, port)) AS community_id)
FROM kept_conversations
