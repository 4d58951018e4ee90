-- A number that no row in the store has.
SELECT coalesce(max(reading), 0) + 1 FROM capture
