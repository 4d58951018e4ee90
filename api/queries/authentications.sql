-- Authentications per day, the newest day first.
WITH page AS (
    SELECT *
    FROM kept_authentications AS a
    WHERE ($device::VARCHAR IS NULL OR EXISTS (
               SELECT 1 FROM device_endpoint AS e
               WHERE e.device_id = $device AND e.scope = a.scope AND e.first_ts <= a.last_ts AND e.last_ts >= a.first_ts
                 AND ((e.mac IS NULL OR mac_number(e.mac) = a.mac) AND (e.ip IS NULL OR e.ip = a.ip)
                      OR (e.mac IS NULL OR mac_number(e.mac) = a.peer_mac) AND (e.ip IS NULL OR e.ip = a.peer_ip))))
      AND ($ip::VARCHAR IS NULL OR a.ip = $ip OR a.peer_ip = $ip)
      AND ($mac::VARCHAR IS NULL OR mac_number($mac) IN (a.mac, a.peer_mac))
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
)
SELECT p.day, p.id::VARCHAR AS id, p.capture, p.first_ts, p.last_ts, p.n,
       list_filter(range(24), lambda h: (p.hours >> h) & 1 = 1) AS hours,
       p.frame, coalesce(p.community_id, community_id(p.transport, p.ip, own_port(p.side, p.port, p.initiator_port),
           p.peer_ip, peer_port(p.side, p.port, p.initiator_port))) AS community_id,
       p.scope, p.port, p.transport, p.protocol, p.side, p.ip, mac_text(p.mac) AS mac, p.peer_ip, mac_text(p.peer_mac) AS peer_mac,
       p.about, p.mechanism, p.principal, p.realm, p.secret_class, p.secret_length, p.outcome, p.protection, p.continued,
       p.midstream, p.gap, p.one_sided, p.truncated, p.duplicate, p.details
FROM page AS p
ORDER BY p.day DESC, p.id DESC
