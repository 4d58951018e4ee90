-- A place does not change: what was said of it first stays.
MERGE INTO place AS t
USING (SELECT * EXCLUDE (parser_set) FROM incoming) AS s
ON t.capture = s.capture AND t.day = s.day AND t.id = s.id
WHEN NOT MATCHED THEN INSERT BY NAME *
