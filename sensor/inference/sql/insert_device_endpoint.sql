INSERT INTO device_endpoint (device_id, scope, mac, ip, first_ts, last_ts, reason) SELECT * FROM incoming
