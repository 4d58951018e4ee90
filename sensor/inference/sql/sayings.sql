-- What endpoints told of things other than themselves.
SELECT scope, mac, ip, about, name, value, min(first_ts) AS first_ts, max(last_ts) AS last_ts
FROM fact_attribute
WHERE about <> 'side' AND (mac IS NOT NULL OR ip IS NOT NULL)
GROUP BY scope, mac, ip, about, name, value
