-- Authentications per day, the newest day first.
SELECT a.day, a.id::VARCHAR AS id, a.capture, a.first_ts, a.last_ts, a.n,
       list_filter(range(24), lambda h: (a.hours >> h) & 1 = 1) AS hours,
       a.frame, a.community_id, a.scope, a.port, a.transport, a.protocol, a.side, a.ip, a.mac, a.peer_ip, a.peer_mac,
       a.about, a.mechanism, a.principal, a.realm, a.secret_class, a.secret_length, a.outcome, a.protection, a.continued,
       a.midstream, a.gap, a.one_sided, a.truncated, a.duplicate, a.details
FROM authentications AS a
WHERE ($device::VARCHAR IS NULL OR EXISTS (
           SELECT 1 FROM device_endpoint AS e
           WHERE e.device_id = $device AND e.scope = a.scope AND e.first_ts <= a.last_ts AND e.last_ts >= a.first_ts
             AND ((e.mac IS NULL OR e.mac = a.mac) AND (e.ip IS NULL OR e.ip = a.ip)
                  OR (e.mac IS NULL OR e.mac = a.peer_mac) AND (e.ip IS NULL OR e.ip = a.peer_ip))))
  AND ($ip::VARCHAR IS NULL OR a.ip = $ip OR a.peer_ip = $ip)
  AND ($mac::VARCHAR IS NULL OR a.mac = $mac OR a.peer_mac = $mac)
  AND ($scope::VARCHAR IS NULL OR a.scope = $scope)
  AND ($protocol::VARCHAR IS NULL OR a.protocol = $protocol)
  AND ($port::INTEGER IS NULL OR a.port = $port)
  AND ($mechanism::VARCHAR IS NULL OR a.mechanism = $mechanism)
  AND ($principal::VARCHAR IS NULL OR a.principal = $principal)
  AND ($outcome::VARCHAR IS NULL OR a.outcome = $outcome)
  AND ($protection::VARCHAR IS NULL OR a.protection = $protection)
  AND ($since::TIMESTAMP IS NULL OR a.last_ts >= $since)
  AND ($until::TIMESTAMP IS NULL OR a.first_ts < $until)
  AND ($after_day::VARCHAR IS NULL
       OR (a.day, a.id) < ($after_day::DATE, $after_id::UBIGINT))
ORDER BY a.day DESC, a.id DESC
LIMIT $row_limit
