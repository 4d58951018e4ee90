-- The changes after one number up to another.
SELECT seq, finding_id, change, as_of, rule_id, severity, body AS finding
FROM finding_change
WHERE seq > $seq AND seq <= $latest_seq
  AND ($severity::VARCHAR[] IS NULL OR list_contains($severity, severity))
  AND ($change::VARCHAR[] IS NULL OR list_contains($change, change))
ORDER BY seq
LIMIT $row_limit
