-- fact_conversation with the devices of both sides.
CREATE OR REPLACE TEMP TABLE seen_conversation AS
SELECT i.device_id AS initiator_id, r.device_id AS responder_id, i.internal AS initiator_internal, r.internal AS responder_internal,
    c.capture, k.* EXCLUDE (reading, batch, id), f.* EXCLUDE (reading, batch, id, kind, initiator_port) REPLACE (
        i.mac_text AS initiator_mac, r.mac_text AS responder_mac,
        coalesce(f.community_id, flow_id(k.transport, i.ip_digits, f.initiator_port, r.ip_digits, f.port)) AS community_id)
FROM fact_conversation AS f
JOIN capture AS c ON c.reading = f.reading
JOIN kind AS k ON k.reading = f.reading AND k.id = f.kind
LEFT JOIN endpoint_device AS i
    ON i.scope = k.scope AND i.mac IS NOT DISTINCT FROM f.initiator_mac AND i.ip IS NOT DISTINCT FROM f.initiator_ip
LEFT JOIN endpoint_device AS r
    ON r.scope = k.scope AND r.mac IS NOT DISTINCT FROM f.responder_mac AND r.ip IS NOT DISTINCT FROM f.responder_ip
