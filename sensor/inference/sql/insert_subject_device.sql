INSERT INTO subject_device SELECT * FROM incoming
