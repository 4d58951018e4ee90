DELETE FROM attribute WHERE capture = $capture
