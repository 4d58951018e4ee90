-- What tells the rows of a reading that are in the store.
SELECT id FROM attribute WHERE reading = $reading
