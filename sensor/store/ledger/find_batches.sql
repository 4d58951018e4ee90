SELECT number, byte_offset, row_count FROM batch WHERE capture = $capture ORDER BY number
