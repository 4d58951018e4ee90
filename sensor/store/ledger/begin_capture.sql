INSERT INTO capture BY NAME SELECT *, false AS complete, false AS finished FROM incoming
