-- Open findings per rule.
SELECT rule_id, count(*) AS open_findings
FROM finding
WHERE status = 'open'
GROUP BY rule_id
