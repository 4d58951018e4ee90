INSERT INTO finding (finding_id, rule_id, status, severity, confidence, title, device_id, identity_id, scope, ip, mac,
    first_ts, last_ts, evidence, changed_seq)
SELECT * FROM incoming
