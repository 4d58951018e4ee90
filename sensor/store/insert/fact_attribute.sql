-- Where nothing of the capture is in the store yet, and no key stands in `incoming` twice, there is nothing to merge.
INSERT INTO fact_attribute BY NAME SELECT * EXCLUDE (parser_set) FROM incoming
