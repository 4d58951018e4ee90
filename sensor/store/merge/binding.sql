-- Step 2 of 4: the intervals in `incoming` and those of the same addresses in the store (`held`), joined.
-- Neighbours in time with the same holder become one; a new row begins where the holder changes.
-- Of most addresses it never does: these need no order.
CREATE TEMP TABLE once AS
WITH every AS MATERIALIZED (
    SELECT reading, batch, scope, mac, ip, first_ts, last_ts, n FROM incoming
    UNION ALL
    SELECT reading, batch, scope, mac, ip, first_ts, last_ts, n FROM held
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
