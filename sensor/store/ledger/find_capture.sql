SELECT parser_set, settings, batch_bytes, finished, packets, bytes, damaged FROM capture WHERE capture = $capture
