INSERT INTO migration BY NAME FROM incoming
