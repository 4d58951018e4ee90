DELETE FROM kind WHERE reading = (SELECT reading FROM capture WHERE capture = $capture)
