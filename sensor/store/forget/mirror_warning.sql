DELETE FROM mirror_warning WHERE capture = $capture
