-- Which device used which identity, against whom.
CREATE OR REPLACE VIEW identity_uses AS
SELECT identity_id, device_id, peer_device_id, use, protocol, port, outcome, protection, first_ts, last_ts, n, day_count
FROM identity_use
