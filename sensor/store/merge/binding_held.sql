-- Step 1 of 4: what the store has of the addresses in `incoming`, from the interval before the first new one on: all that begin
-- earlier stay as they are. It is searched this once; `place` is where a row stands.
CREATE TEMP TABLE held AS
WITH said AS MATERIALIZED (  -- `incoming` can be read once
    SELECT reading, scope, ip, min(first_ts) AS first_ts FROM incoming GROUP BY reading, scope, ip
), held AS MATERIALIZED (
    SELECT b.rowid AS place, b.reading, b.batch, b.scope, b.mac, b.ip, b.first_ts, b.last_ts, b.n, i.first_ts AS said_ts
    FROM binding AS b
    JOIN said AS i ON b.reading = i.reading AND b.scope = i.scope AND b.ip = i.ip
    WHERE b.batch >= $since_batch
), before AS (
    SELECT reading, scope, ip, max(first_ts) AS since FROM held WHERE first_ts <= said_ts GROUP BY reading, scope, ip
)
SELECT h.* EXCLUDE (said_ts) FROM held AS h
LEFT JOIN before AS s ON h.reading = s.reading AND h.scope = s.scope AND h.ip = s.ip
WHERE s.since IS NULL OR h.first_ts >= s.since
