-- Verdicts of the rules as they stand now. `evidence` is JSON. The feed of changes is the API's business.
CREATE OR REPLACE VIEW findings AS
SELECT finding_id, rule_id, status, severity, confidence, title, device_id, identity_id, scope, ip, mac,
    first_ts, last_ts, evidence
FROM finding
