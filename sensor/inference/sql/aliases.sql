SELECT device_id, now_id FROM device_alias
