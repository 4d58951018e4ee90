-- What tells the rows of a capture that are in the store.
SELECT day, id FROM place WHERE capture = $capture
