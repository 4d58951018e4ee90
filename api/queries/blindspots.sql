-- What could not be seen, by day, device and reason; the newest day first.
SELECT b.day, b.device_id, d.label, b.conversations, b.understood, b.reason, b.reason_count
FROM blindspot AS b
LEFT JOIN device AS d USING (device_id)
WHERE ($device::VARCHAR IS NULL OR b.device_id = $device)
  AND ($reason::VARCHAR IS NULL OR b.reason = $reason)
  AND ($since::TIMESTAMP IS NULL OR b.day >= $since::DATE)
  AND ($until::TIMESTAMP IS NULL OR b.day <= $until::DATE)
  AND ($after_day::VARCHAR IS NULL
       OR b.day < $after_day::DATE
       OR (b.day = $after_day::DATE AND (b.device_id, b.reason) > ($after_device_id, $after_reason)))
ORDER BY b.day DESC, b.device_id, b.reason
LIMIT $row_limit
