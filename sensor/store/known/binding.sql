-- What tells the rows of a reading that are in the store.
SELECT scope, ip FROM binding WHERE reading = $reading
