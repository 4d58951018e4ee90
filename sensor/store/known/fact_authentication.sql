-- What tells the rows of a capture that are in the store.
SELECT day, id FROM fact_authentication WHERE capture = $capture
