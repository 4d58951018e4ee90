INSERT INTO identity_use (identity_id, device_id, peer_device_id, use, protocol, port, outcome, protection, first_ts, last_ts, n, day_count)
SELECT * FROM incoming
