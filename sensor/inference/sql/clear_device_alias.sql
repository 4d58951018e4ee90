DELETE FROM device_alias
