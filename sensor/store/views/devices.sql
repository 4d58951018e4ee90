-- What was inferred to be one machine. `why` is JSON: per column, the evidence that won.
CREATE OR REPLACE VIEW devices AS
SELECT device_id, label, vendor, model, device_type, serial, software, os, role, described, first_ts, last_ts, why
FROM device
