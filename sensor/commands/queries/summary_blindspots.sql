-- Why conversations could not show an identity.
SELECT reason, sum(reason_count)::BIGINT AS conversations, count(DISTINCT device_id) AS devices
FROM blindspots
WHERE reason <> 'none'
GROUP BY reason
ORDER BY conversations DESC, reason
