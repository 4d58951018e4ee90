DELETE FROM capture WHERE capture = $capture
