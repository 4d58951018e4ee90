-- Which addresses a device had, from when to when, and why we think so.
CREATE OR REPLACE VIEW device_endpoints AS
SELECT device_id, scope, mac, ip, first_ts, last_ts, reason
FROM device_endpoint
