-- Conversations per day, the newest day first.
SELECT c.day, c.id::VARCHAR AS id, c.capture, c.first_ts, c.last_ts, c.n,
       list_filter(range(24), lambda h: (c.hours >> h) & 1 = 1) AS hours,
       c.frame, c.community_id, c.scope, c.port, c.transport, c.protocol,
       c.initiator_ip, c.initiator_mac, c.responder_ip, c.responder_mac, c.confidence, c.packets,
       c.initiator_bytes, c.responder_bytes, c.copied_bytes, c.skipped_bytes, c.left_out_bytes, c.lost_bytes,
       c.midstream_count, c.one_sided_count, c.gap_count, c.unanswered_count,
       c.interface, c.segment, c.truncated_count, c.duplicate_count
FROM conversations AS c
WHERE ($device::VARCHAR IS NULL OR EXISTS (
           SELECT 1 FROM device_endpoint AS e
           WHERE e.device_id = $device AND e.scope = c.scope AND e.first_ts <= c.last_ts AND e.last_ts >= c.first_ts
             AND ((e.mac IS NULL OR e.mac = c.initiator_mac) AND (e.ip IS NULL OR e.ip = c.initiator_ip)
                  OR (e.mac IS NULL OR e.mac = c.responder_mac) AND (e.ip IS NULL OR e.ip = c.responder_ip))))
  AND ($ip::VARCHAR IS NULL OR c.initiator_ip = $ip OR c.responder_ip = $ip)
  AND ($mac::VARCHAR IS NULL OR c.initiator_mac = $mac OR c.responder_mac = $mac)
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
