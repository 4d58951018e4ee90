DELETE FROM fact_conversation WHERE reading = (SELECT reading FROM capture WHERE capture = $capture)
