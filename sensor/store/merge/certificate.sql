-- What is in a certificate does not change: the first reading of it stays.
MERGE INTO certificate AS t
USING incoming AS s
ON t.reading = s.reading AND t.sha256 = s.sha256
WHEN NOT MATCHED THEN INSERT BY NAME *
