-- The file of this name that was read last: names come again where captures rotate.
SELECT capture, size_bytes FROM capture WHERE name = $name AND size_bytes > 0 ORDER BY read_at DESC LIMIT 1
