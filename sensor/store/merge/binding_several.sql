-- Step 1 of 4: the addresses of which there is more than one interval in `incoming`, or one in the store already.
WITH said AS MATERIALIZED (SELECT capture, scope, ip FROM incoming)  -- `incoming` can be read once
SELECT capture, scope, ip FROM said GROUP BY capture, scope, ip HAVING count(*) > 1
UNION
SELECT b.capture, b.scope, b.ip FROM binding AS b
SEMI JOIN said AS i ON b.capture = i.capture AND b.scope = i.scope AND b.ip = i.ip
