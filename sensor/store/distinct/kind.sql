-- What a taken-over worker says twice, as one row for each key.
CREATE TEMP TABLE once AS
SELECT * FROM incoming QUALIFY row_number() OVER (PARTITION BY id) = 1
