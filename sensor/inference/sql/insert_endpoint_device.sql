INSERT INTO endpoint_device
SELECT c00, mac_number(c01), c01, c02, ip_digits(c02), * EXCLUDE (c00, c01, c02) FROM incoming
