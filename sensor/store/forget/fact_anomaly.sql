DELETE FROM fact_anomaly WHERE reading = (SELECT reading FROM capture WHERE capture = $capture)
