-- What was read. `counters` is JSON: what the engine and the dispatcher counted. `damaged` says what is wrong with the file.
CREATE OR REPLACE VIEW captures AS
SELECT capture, name, size_bytes, parser_set, first_ts, last_ts, packets, bytes, complete, damaged, counters
FROM capture
