-- What is wrong with live interfaces now.
SELECT interface, kind, count(*) AS warnings
FROM mirror_warnings
WHERE source = 'live'
GROUP BY ALL
ORDER BY interface, kind
LIMIT $most
