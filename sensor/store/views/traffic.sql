-- What each segment of each interface carried: one row per source, interface, segment and hour (UTC). `source` is the
-- capture's name, or 'live'.
CREATE OR REPLACE VIEW traffic AS
SELECT CASE WHEN coalesce(c.live, false) THEN 'live' ELSE c.name END AS source, t.interface, t.segment, t.hour,
    CAST(sum(t.packets) AS BIGINT) AS packets, CAST(sum(t.bytes) AS BIGINT) AS bytes,
    CAST(sum(t.duplicates) AS BIGINT) AS duplicates, CAST(sum(t.group_packets) AS BIGINT) AS group_packets,
    CAST(sum(t.truncated) AS BIGINT) AS truncated
FROM fact_traffic AS t
JOIN capture AS c USING (reading)
GROUP BY ALL
