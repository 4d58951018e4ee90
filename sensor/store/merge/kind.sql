-- A kind does not change: what came under its id first stays.
MERGE INTO kind AS t
USING incoming AS s
ON t.reading = s.reading AND t.id = s.id
WHEN NOT MATCHED THEN INSERT BY NAME *
