-- Whether any of `incoming` has a row in the store: a row is the answer. Else there is nothing to merge.
SELECT s.id
FROM incoming AS s
SEMI JOIN fact_certificate AS t ON t.capture = s.capture AND t.day = s.day AND t.id = s.id
LIMIT 1
