-- The life of a finding.
SELECT seq, change, as_of, severity
FROM finding_change
WHERE finding_id = $finding
ORDER BY seq
