-- What is wrong with a mirror, in words: of a live interface as it stands, of a capture as a whole.
CREATE OR REPLACE VIEW mirror_warnings AS
SELECT CASE WHEN coalesce(c.live, false) THEN 'live' ELSE c.name END AS source, w.interface, w.kind, w.words, min(w.since) AS since
FROM mirror_warning AS w
JOIN capture AS c USING (capture)
WHERE NOT (coalesce(c.live, false) AND c.finished)
GROUP BY ALL
