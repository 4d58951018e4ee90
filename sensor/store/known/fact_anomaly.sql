-- What tells the rows of a capture that are in the store.
SELECT day, id FROM fact_anomaly WHERE capture = $capture
