INSERT INTO endpoint_device SELECT * REPLACE (mac_number(c01) AS c01) FROM incoming
