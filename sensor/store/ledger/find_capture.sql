SELECT parser_set, settings, batch_bytes, finished, packets, bytes, damaged, reading FROM capture WHERE capture = $capture
