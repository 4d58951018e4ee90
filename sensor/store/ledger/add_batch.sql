INSERT INTO batch BY NAME
SELECT $capture AS capture, $parser_set AS parser_set, $number AS number, $byte_offset AS byte_offset,
    $row_count AS row_count, $committed_at AS committed_at
