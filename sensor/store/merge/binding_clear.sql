-- Step 2 of 3: the intervals that step 1 has joined go.
DELETE FROM binding AS b
USING (SELECT DISTINCT capture, scope, ip FROM incoming) AS i
WHERE b.capture = i.capture AND b.scope = i.scope AND b.ip = i.ip
