-- Step 1 of 4: the addresses of which there is more than one interval in `incoming`, or one in the store already; and
-- since when intervals in the store can be neighbours of these: all that begin before the one before them stay as they are.
WITH said AS MATERIALIZED (  -- `incoming` can be read once
    SELECT reading, scope, ip, min(first_ts) AS first_ts, count(*) AS n FROM incoming GROUP BY reading, scope, ip
), held AS (
    SELECT b.reading, b.scope, b.ip, max(b.first_ts) FILTER (b.first_ts <= i.first_ts) AS since, any_value(i.first_ts) AS first_ts
    FROM binding AS b
    JOIN said AS i ON b.reading = i.reading AND b.scope = i.scope AND b.ip = i.ip AND b.batch >= $since_batch
    GROUP BY b.reading, b.scope, b.ip
)
SELECT reading, scope, ip, coalesce(since, first_ts) AS since FROM held
UNION ALL
SELECT i.reading, i.scope, i.ip, i.first_ts AS since FROM said AS i
ANTI JOIN held AS h ON i.reading = h.reading AND i.scope = h.scope AND i.ip = h.ip
WHERE i.n > 1
