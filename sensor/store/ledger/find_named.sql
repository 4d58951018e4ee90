SELECT capture, parser_set, settings, batch_bytes, size_bytes FROM capture WHERE name = $name AND size_bytes > 0
