-- All blind spots, the newest day first.
SELECT b.device_id, d.label, b.day, b.conversations, b.understood, b.reason, b.reason_count
FROM blindspots AS b
LEFT JOIN devices AS d USING (device_id)
ORDER BY b.day DESC, b.reason_count DESC, b.device_id, b.reason
