-- Step 3 of 4: the intervals that step 2 has joined go; what it made of them is inserted.
DELETE FROM binding AS b
USING several AS s
WHERE b.reading = s.reading AND b.scope = s.scope AND b.ip = s.ip AND b.first_ts >= s.since AND b.batch >= $since_batch
