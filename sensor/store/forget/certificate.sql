DELETE FROM certificate WHERE reading = (SELECT reading FROM capture WHERE capture = $capture)
