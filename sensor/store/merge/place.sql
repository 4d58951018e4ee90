-- A place does not change: what was said of it first stays.
MERGE INTO place AS t
USING incoming AS s
ON t.reading = s.reading AND t.day = s.day AND t.id = s.id
WHEN NOT MATCHED THEN INSERT BY NAME *
