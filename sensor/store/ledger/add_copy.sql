INSERT INTO compressed_copy SELECT $copy, $capture
