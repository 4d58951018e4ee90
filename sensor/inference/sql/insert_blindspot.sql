INSERT INTO blindspot (device_id, day, conversations, understood, reason, reason_count) SELECT * FROM incoming
