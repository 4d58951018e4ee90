-- Which MAC held which IP, from when to when, over all captures: a new row wherever the holder changes.
CREATE OR REPLACE VIEW bindings AS
WITH marked AS (
    SELECT *, mac IS DISTINCT FROM lag(mac) OVER (PARTITION BY scope, ip ORDER BY first_ts, last_ts, mac) AS changed
    FROM binding
), numbered AS (
    SELECT *, sum(CAST(changed AS INTEGER)) OVER (
        PARTITION BY scope, ip ORDER BY first_ts, last_ts, mac ROWS UNBOUNDED PRECEDING) AS run
    FROM marked
)
SELECT scope, mac_text(mac) AS mac, ip, min(first_ts) AS first_ts, max(last_ts) AS last_ts, CAST(sum(n) AS BIGINT) AS n
FROM numbered
GROUP BY scope, mac, ip, run
