-- How well each VLAN and tunnel was seen, by day; the newest day first.
SELECT s.day, s.source, s.interface, s.segment, s.packets, s.bytes,
       round(s.packets / (3600.0 * greatest(s.hour_count, 1)), 3) AS packets_per_s,
       round(8.0 * s.bytes / (3600.0 * greatest(s.hour_count, 1)), 1) AS bits_per_s,
       round(s.busiest_packets / 3600.0, 3) AS busiest_packets_per_s,
       s.duplicates, s.group_packets, s.truncated, s.conversations, s.understood, s.tcp_conversations, s.one_sided,
       s.unanswered, s.midstream, s.with_gaps, s.lost_bytes, s.protocols
FROM segments AS s
WHERE ($source::VARCHAR IS NULL OR s.source = $source)
  AND ($interface::VARCHAR IS NULL OR s.interface = $interface)
  AND ($segment::VARCHAR IS NULL OR s.segment = $segment)
  AND ($since::TIMESTAMP IS NULL OR s.day >= $since::DATE)
  AND ($until::TIMESTAMP IS NULL OR s.day <= $until::DATE)
  AND ($after_day::VARCHAR IS NULL
       OR s.day < $after_day::DATE
       OR (s.day = $after_day::DATE
           AND (s.source, s.interface, s.segment) > ($after_source, $after_interface, $after_segment)))
ORDER BY s.day DESC, s.source, s.interface, s.segment
LIMIT $row_limit
