-- What a taken-over worker says twice, as one row for each key.
SELECT * FROM incoming QUALIFY row_number() OVER (PARTITION BY id) = 1
