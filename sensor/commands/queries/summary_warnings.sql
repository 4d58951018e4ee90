-- What is wrong with the mirrors.
SELECT source, interface, kind, words
FROM mirror_warnings
ORDER BY source, interface, kind
