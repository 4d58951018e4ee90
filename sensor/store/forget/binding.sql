DELETE FROM binding WHERE capture = $capture
