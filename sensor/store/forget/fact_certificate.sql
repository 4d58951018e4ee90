DELETE FROM fact_certificate WHERE reading = (SELECT reading FROM capture WHERE capture = $capture)
