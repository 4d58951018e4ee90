DELETE FROM fact_anomaly WHERE capture = $capture
