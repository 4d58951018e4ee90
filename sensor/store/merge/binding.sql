-- Step 1 of 3: the intervals of every address that `incoming` speaks of, joined with those in the store.
-- Neighbours in time with the same holder become one; a new row begins where the holder changes.
WITH said AS MATERIALIZED (  -- `incoming` can be read once
    SELECT capture, parser_set, scope, mac, ip, first_ts, last_ts, n FROM incoming
), every AS (
    FROM said
    UNION ALL
    SELECT b.capture, b.parser_set, b.scope, b.mac, b.ip, b.first_ts, b.last_ts, b.n FROM binding AS b
    SEMI JOIN said AS i ON b.capture = i.capture AND b.scope = i.scope AND b.ip = i.ip
), marked AS (
    SELECT *, mac IS DISTINCT FROM lag(mac) OVER (PARTITION BY capture, scope, ip ORDER BY first_ts, last_ts, mac) AS changed
    FROM every
), numbered AS (
    SELECT *, sum(CAST(changed AS INTEGER)) OVER (
        PARTITION BY capture, scope, ip ORDER BY first_ts, last_ts, mac ROWS UNBOUNDED PRECEDING) AS run
    FROM marked
)
SELECT capture, max(parser_set) AS parser_set, scope, mac, ip,
    min(first_ts) AS first_ts, max(last_ts) AS last_ts, CAST(sum(n) AS BIGINT) AS n
FROM numbered
GROUP BY capture, scope, mac, ip, run
