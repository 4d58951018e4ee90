DELETE FROM batch WHERE capture = $capture
