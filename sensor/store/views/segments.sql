-- How well each segment of each interface was seen: one row per source, interface, segment and UTC day. Packets are all
-- that came; conversations are TCP and UDP, those of `tcp_conversations` were answered or begun before the capture.
-- `understood`: read by a parser that found real structure. `busiest_packets`: of its busiest hour.
CREATE OR REPLACE VIEW segments AS
WITH carried AS (
    SELECT reading, CAST(hour AS DATE) AS day, interface, segment, sum(packets) AS packets, sum(bytes) AS bytes,
        sum(duplicates) AS duplicates, sum(group_packets) AS group_packets, sum(truncated) AS truncated,
        max(packets) AS busiest_packets, count(*) AS hour_count
    FROM fact_traffic
    GROUP BY ALL
), talked AS (
    SELECT f.reading, day, coalesce(interface, '') AS interface, coalesce(segment, '') AS segment, sum(n) AS conversations,
        sum(n) FILTER (protocol <> '' AND confidence = 'confirmed') AS understood,
        sum(n - unanswered_count) FILTER (transport = 'tcp') AS tcp_conversations,
        sum(one_sided_count - unanswered_count) FILTER (transport = 'tcp') AS one_sided,
        sum(unanswered_count) AS unanswered, sum(midstream_count) AS midstream, sum(gap_count) AS with_gaps,
        sum(lost_bytes) AS lost_bytes, list(DISTINCT protocol) FILTER (protocol <> '' AND confidence = 'confirmed') AS protocols
    FROM fact_conversation AS f
    JOIN kind AS k ON k.reading = f.reading AND k.id = f.kind
    GROUP BY ALL
)
SELECT CASE WHEN coalesce(c.live, false) THEN 'live' ELSE c.name END AS source, s.interface, s.segment, s.day,
    CAST(coalesce(sum(s.packets), 0) AS BIGINT) AS packets, CAST(coalesce(sum(s.bytes), 0) AS BIGINT) AS bytes,
    CAST(coalesce(sum(s.duplicates), 0) AS BIGINT) AS duplicates,
    CAST(coalesce(sum(s.group_packets), 0) AS BIGINT) AS group_packets,
    CAST(coalesce(sum(s.truncated), 0) AS BIGINT) AS truncated,
    CAST(coalesce(max(s.busiest_packets), 0) AS BIGINT) AS busiest_packets,
    CAST(coalesce(max(s.hour_count), 0) AS BIGINT) AS hour_count,
    CAST(coalesce(sum(s.conversations), 0) AS BIGINT) AS conversations,
    CAST(coalesce(sum(s.understood), 0) AS BIGINT) AS understood,
    CAST(coalesce(sum(s.tcp_conversations), 0) AS BIGINT) AS tcp_conversations,
    CAST(coalesce(sum(s.one_sided), 0) AS BIGINT) AS one_sided,
    CAST(coalesce(sum(s.unanswered), 0) AS BIGINT) AS unanswered,
    CAST(coalesce(sum(s.midstream), 0) AS BIGINT) AS midstream,
    CAST(coalesce(sum(s.with_gaps), 0) AS BIGINT) AS with_gaps,
    CAST(coalesce(sum(s.lost_bytes), 0) AS BIGINT) AS lost_bytes,
    list_sort(list_distinct(flatten(list(coalesce(s.protocols, []))))) AS protocols
FROM (
    SELECT reading, interface, segment, day, packets, bytes, duplicates, group_packets, truncated, busiest_packets,
        hour_count, conversations, understood, tcp_conversations, one_sided, unanswered, midstream, with_gaps, lost_bytes,
        protocols
    FROM carried
    FULL JOIN talked USING (reading, day, interface, segment)
) AS s
JOIN capture AS c USING (reading)
GROUP BY ALL
