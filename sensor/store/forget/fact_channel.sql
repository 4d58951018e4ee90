DELETE FROM fact_channel WHERE reading = (SELECT reading FROM capture WHERE capture = $capture)
