INSERT INTO finding_change (seq, finding_id, change, as_of, rule_id, severity, body) SELECT * FROM incoming
