INSERT INTO device (device_id, label, vendor, model, device_type, serial, software, os, role, described, first_ts, last_ts, why)
SELECT * FROM incoming
