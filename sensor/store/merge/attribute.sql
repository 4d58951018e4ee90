-- What is said does not change: what came under its id first stays.
MERGE INTO attribute AS t
USING (SELECT * EXCLUDE (parser_set) FROM incoming) AS s
ON t.capture = s.capture AND t.id = s.id
WHEN NOT MATCHED THEN INSERT BY NAME *
