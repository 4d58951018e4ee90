INSERT INTO mirror_warning BY NAME
SELECT $capture AS capture, $parser_set AS parser_set, $interface AS interface, $kind AS kind, $words AS words, $since AS since
