-- Step 2 of 4: the intervals of these addresses (`several`), in `incoming` and in the store, joined.
-- Neighbours in time with the same holder become one; a new row begins where the holder changes.
-- Of most addresses it never does: these need no order.
WITH these AS MATERIALIZED (FROM several), every AS MATERIALIZED (
    SELECT i.reading, i.batch, i.scope, i.mac, i.ip, i.first_ts, i.last_ts, i.n FROM incoming AS i
    SEMI JOIN these AS s ON i.reading = s.reading AND i.scope = s.scope AND i.ip = s.ip
    UNION ALL
    SELECT b.reading, b.batch, b.scope, b.mac, b.ip, b.first_ts, b.last_ts, b.n FROM binding AS b
    SEMI JOIN these AS s ON b.reading = s.reading AND b.scope = s.scope AND b.ip = s.ip AND b.first_ts >= s.since
    WHERE b.batch >= $since_batch
), settled AS MATERIALIZED (
    SELECT scope, ip FROM every GROUP BY scope, ip HAVING min(mac) = max(mac)
), marked AS (
    SELECT e.*, mac IS DISTINCT FROM lag(mac) OVER (PARTITION BY scope, ip ORDER BY first_ts, last_ts, mac) AS changed
    FROM every AS e
    ANTI JOIN settled AS a ON e.scope = a.scope AND e.ip = a.ip
), numbered AS (
    SELECT * EXCLUDE (changed), sum(CAST(changed AS INTEGER)) OVER (
        PARTITION BY scope, ip ORDER BY first_ts, last_ts, mac ROWS UNBOUNDED PRECEDING) AS run
    FROM marked
    UNION ALL
    SELECT e.*, 0 AS run FROM every AS e
    SEMI JOIN settled AS a ON e.scope = a.scope AND e.ip = a.ip
)
SELECT reading, max(batch) AS batch, scope, mac, ip,
    min(first_ts) AS first_ts, max(last_ts) AS last_ts, CAST(sum(n) AS BIGINT) AS n
FROM numbered
GROUP BY reading, scope, mac, ip, run
