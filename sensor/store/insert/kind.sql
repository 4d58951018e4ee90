-- Where nothing of the reading is in the store yet, and no key stands in `incoming` twice, there is nothing to merge.
INSERT INTO kind BY NAME FROM incoming
