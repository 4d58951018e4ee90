-- Under which id the content of a capture is known: its own, or that of the capture which it is a copy of.
SELECT capture FROM capture WHERE capture = $capture
UNION ALL
SELECT capture FROM compressed_copy WHERE copy = $capture
