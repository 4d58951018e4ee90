-- What tells the rows of a capture that are in the store.
SELECT scope, ip FROM binding WHERE capture = $capture
