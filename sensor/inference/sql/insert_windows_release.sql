INSERT INTO windows_release SELECT * FROM incoming
