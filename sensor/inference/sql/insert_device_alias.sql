INSERT INTO device_alias (device_id, now_id) SELECT * FROM incoming
