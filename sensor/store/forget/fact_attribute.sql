DELETE FROM fact_attribute WHERE reading = (SELECT reading FROM capture WHERE capture = $capture)
