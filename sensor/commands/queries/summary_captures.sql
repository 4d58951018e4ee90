-- What was read.
SELECT name, capture, packets, bytes, first_ts, last_ts, complete, damaged,
       coalesce(CAST(json_extract_string(counters, '$.parser_failures') AS BIGINT), 0) AS parser_failures
FROM captures
ORDER BY first_ts, name, capture
