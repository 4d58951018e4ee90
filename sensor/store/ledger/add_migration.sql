INSERT INTO migration BY NAME SELECT $number AS number, $name AS name, $applied_at AS applied_at
