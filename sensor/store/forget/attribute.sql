DELETE FROM attribute WHERE reading = (SELECT reading FROM capture WHERE capture = $capture)
