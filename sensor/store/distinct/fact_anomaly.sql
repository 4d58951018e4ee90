-- What a taken-over worker says twice, or in parts, as one row for each key.
CREATE TEMP TABLE once AS
SELECT * REPLACE (
    min(first_ts) OVER w AS first_ts, max(last_ts) OVER w AS last_ts,
    CAST(sum(n) OVER w AS BIGINT) AS n, bit_or(hours) OVER w AS hours, min(quality) OVER w AS quality)
FROM incoming
WINDOW w AS (PARTITION BY day, id, place)
QUALIFY row_number() OVER (PARTITION BY day, id, place ORDER BY first_ts, frame) = 1
