INSERT INTO vocabulary SELECT * FROM incoming
