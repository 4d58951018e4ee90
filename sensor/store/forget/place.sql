DELETE FROM place WHERE capture = $capture
