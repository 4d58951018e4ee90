DELETE FROM fact_authentication WHERE reading = (SELECT reading FROM capture WHERE capture = $capture)
