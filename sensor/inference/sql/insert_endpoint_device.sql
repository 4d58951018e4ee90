INSERT INTO endpoint_device SELECT * FROM incoming
