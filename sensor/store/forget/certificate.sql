DELETE FROM certificate WHERE capture = $capture
