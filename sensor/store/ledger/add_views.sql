INSERT INTO migration BY NAME SELECT -1 AS number, $digest AS name, $applied_at AS applied_at
