-- What tells the rows of a capture that are in the store.
SELECT id FROM attribute WHERE capture = $capture
