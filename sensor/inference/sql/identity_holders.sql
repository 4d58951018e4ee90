SELECT identity_id, list_sort(list(DISTINCT device_id)) FROM identity_use WHERE use <> 'answers_to' GROUP BY identity_id
