DELETE FROM fact_loss WHERE reading = (SELECT reading FROM capture WHERE capture = $capture)
