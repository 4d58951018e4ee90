DELETE FROM binding WHERE reading = (SELECT reading FROM capture WHERE capture = $capture)
