INSERT INTO capture BY NAME
SELECT $capture AS capture, $parser_set AS parser_set, $settings AS settings, $batch_bytes AS batch_bytes,
    $name AS name, $size_bytes AS size_bytes, false AS complete, false AS finished, $read_at AS read_at,
    $live AS live, $sandbox AS sandbox
