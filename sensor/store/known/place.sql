-- What tells the rows of a reading that are in the store, and the batch that brought each.
SELECT batch, day, id FROM place WHERE reading = $reading ORDER BY batch
