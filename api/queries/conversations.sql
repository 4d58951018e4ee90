-- Conversations per day, the newest day first.
WITH page AS (
    SELECT *
    FROM kept_conversations AS c
    WHERE ($device::VARCHAR IS NULL OR EXISTS (
               SELECT 1 FROM device_endpoint AS e
               WHERE e.device_id = $device AND e.scope = c.scope AND e.first_ts <= c.last_ts AND e.last_ts >= c.first_ts
                 AND ((e.mac IS NULL OR mac_number(e.mac) = c.initiator_mac) AND (e.ip IS NULL OR e.ip = c.initiator_ip)
                      OR (e.mac IS NULL OR mac_number(e.mac) = c.responder_mac) AND (e.ip IS NULL OR e.ip = c.responder_ip))))
      AND ($ip::VARCHAR IS NULL OR c.initiator_ip = $ip OR c.responder_ip = $ip)
      AND ($mac::VARCHAR IS NULL OR mac_number($mac) IN (c.initiator_mac, c.responder_mac))
      AND ($scope::VARCHAR IS NULL OR c.scope = $scope)
      AND ($protocol::VARCHAR IS NULL OR c.protocol = $protocol)
      AND ($port::INTEGER IS NULL OR c.port = $port)
      AND ($interface::VARCHAR IS NULL OR c.interface = $interface)
      AND ($segment::VARCHAR IS NULL OR c.segment = $segment)
      AND ($confidence::VARCHAR IS NULL OR c.confidence = $confidence)
      AND ($since::TIMESTAMP IS NULL OR c.last_ts >= $since)
      AND ($until::TIMESTAMP IS NULL OR c.first_ts < $until)
      AND ($after_day::VARCHAR IS NULL
           OR (c.day, c.id) < ($after_day::DATE, $after_id::UBIGINT))
    ORDER BY c.day DESC, c.id DESC
    LIMIT $row_limit
)
SELECT p.day, p.id::VARCHAR AS id, p.capture, p.first_ts, p.last_ts, p.n,
       list_filter(range(24), lambda h: (p.hours >> h) & 1 = 1) AS hours,
       p.frame, coalesce(p.community_id,
           community_id(p.transport, p.initiator_ip, p.initiator_port, p.responder_ip, p.port)) AS community_id,
       p.scope, p.port, p.transport, p.protocol,
       p.initiator_ip, mac_text(p.initiator_mac) AS initiator_mac, p.responder_ip, mac_text(p.responder_mac) AS responder_mac,
       p.confidence, p.packets,
       p.initiator_bytes, p.responder_bytes, p.copied_bytes, p.skipped_bytes, p.left_out_bytes, p.lost_bytes,
       p.midstream_count, p.one_sided_count, p.gap_count, p.unanswered_count,
       p.interface, p.segment, p.truncated_count, p.duplicate_count
FROM page AS p
ORDER BY p.day DESC, p.id DESC
