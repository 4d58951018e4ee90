DELETE FROM device_endpoint
