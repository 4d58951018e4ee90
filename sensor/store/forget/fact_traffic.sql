DELETE FROM fact_traffic WHERE reading = (SELECT reading FROM capture WHERE capture = $capture)
