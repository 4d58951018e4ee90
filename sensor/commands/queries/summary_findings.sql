-- Open findings by rule, the worst first, with one to begin with.
SELECT f.severity, f.rule_id, mode(f.title) AS title, count(*) AS findings,
       count(DISTINCT coalesce(f.device_id, f.ip, f.mac)) AS devices, min(f.finding_id) AS example
FROM findings AS f
WHERE f.status = 'open'
GROUP BY f.severity, f.rule_id
ORDER BY list_position(['critical', 'high', 'medium', 'low', 'info'], f.severity), findings DESC, f.rule_id
