-- What a taken-over worker says twice, or in parts, as one row for each key.
SELECT * REPLACE (
    min(first_ts) OVER w AS first_ts, max(last_ts) OVER w AS last_ts,
    CAST(sum(n) OVER w AS BIGINT) AS n, bit_or(hours) OVER w AS hours,
    bool_or(midstream) OVER w AS midstream, bool_or(gap) OVER w AS gap, bool_or(one_sided) OVER w AS one_sided,
    bool_or(truncated) OVER w AS truncated, bool_or(duplicate) OVER w AS duplicate)
FROM incoming
WINDOW w AS (PARTITION BY day, id, side, ip)
QUALIFY row_number() OVER (PARTITION BY day, id, side, ip ORDER BY first_ts, frame) = 1
