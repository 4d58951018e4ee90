INSERT INTO batch BY NAME FROM incoming
