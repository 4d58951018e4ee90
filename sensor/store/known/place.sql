-- What tells the rows of a reading that are in the store.
SELECT day, id FROM place WHERE reading = $reading
