-- What endpoints told of things other than themselves.
SELECT p.scope, mac_text(p.mac), p.ip, a.about, a.name, a.value, min(f.first_ts) AS first_ts, max(f.last_ts) AS last_ts
FROM fact_attribute AS f
JOIN attribute AS a ON a.reading = f.reading AND a.id = f.attribute
JOIN place AS p ON p.reading = f.reading AND p.day = f.day AND p.id = f.place
WHERE a.about <> 'side' AND (p.mac IS NOT NULL OR p.ip IS NOT NULL)
GROUP BY p.scope, p.mac, p.ip, a.about, a.name, a.value
