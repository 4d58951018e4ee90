-- What tells the rows of a reading that are in the store.
SELECT id FROM kind WHERE reading = $reading
