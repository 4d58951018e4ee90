DELETE FROM place WHERE reading = (SELECT reading FROM capture WHERE capture = $capture)
