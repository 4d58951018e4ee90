INSERT INTO device_attribute (device_id, name, value, source, certainty, chosen, first_ts, last_ts, n) SELECT * FROM incoming
