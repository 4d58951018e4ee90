-- Where packets come from: live interfaces, and captures that were read. Rates are of the newest hour.
WITH origin AS (
    SELECT reading, capture, name, coalesce(live, false) AS live, CASE WHEN coalesce(live, false) THEN 'live' ELSE name END AS source,
           finished, NOT finished AND read_at > make_timestamp(epoch_us(now())) - INTERVAL 2 MINUTE AS heard,
           read_at, first_ts, coalesce(sandbox, '') AS sandbox,
           TRY_CAST(json_extract_string(counters, '$.compiled') AS BIGINT) AS compiled,
           TRY_CAST(json_extract_string(counters, '$.parser_failures') AS BIGINT) AS parser_failures,
           TRY_CAST(json_extract_string(counters, '$.last_packet_us') AS BIGINT) AS last_us
    FROM capture
), place AS (
    SELECT reading, interface FROM fact_traffic
    UNION SELECT reading, interface FROM fact_loss
    UNION SELECT reading, '' FROM capture
    WHERE reading NOT IN (SELECT reading FROM fact_traffic UNION SELECT reading FROM fact_loss)
), standing AS (
    SELECT o.source, p.interface, o.live,
           bool_or(NOT o.finished) AS unfinished,
           bool_or(o.heard) AS heard,
           max(o.read_at) AS heard_ts, min(o.first_ts) AS first_ts,
           max(make_timestamp(o.last_us)) FILTER (o.last_us BETWEEN 1 AND 253402300799000000) AS last_packet_ts,
           count(*) FILTER (o.heard) AS workers, arg_max(o.sandbox, o.read_at) AS sandbox,
           arg_max(o.compiled, o.read_at) AS compiled, sum(o.parser_failures) AS parser_failures
    FROM place AS p
    JOIN origin AS o USING (reading)
    GROUP BY ALL
), carried AS (
    SELECT o.source, t.interface, sum(packets) AS packets, sum(bytes) AS bytes, sum(duplicates) AS duplicates,
           sum(group_packets) AS group_packets, sum(truncated) AS truncated, count(DISTINCT segment) AS segments
    FROM fact_traffic AS t
    JOIN origin AS o USING (reading)
    GROUP BY ALL
), hourly AS (
    SELECT source, interface, hour, sum(packets) AS packets, sum(bytes) AS bytes
    FROM traffic
    GROUP BY ALL
), newest AS (
    SELECT source, interface, max(hour) AS hour, arg_max(packets, hour) AS packets, arg_max(bytes, hour) AS bytes
    FROM hourly
    GROUP BY ALL
), lost AS (
    SELECT o.source, l.interface, sum(kernel_packets) AS kernel_packets, sum(kernel_drops) AS kernel_drops,
           sum(interface_drops) AS interface_drops, sum(ring_freezes) AS ring_freezes
    FROM fact_loss AS l
    JOIN origin AS o USING (reading)
    GROUP BY ALL
), talked AS (
    SELECT source, interface, sum(conversations) AS conversations, sum(understood) AS understood,
           sum(tcp_conversations) AS tcp_conversations, sum(one_sided) AS one_sided
    FROM segments
    GROUP BY ALL
), warned AS (
    SELECT o.source, p.interface, list(DISTINCT w.words ORDER BY w.words) AS warnings
    FROM mirror_warning AS w
    JOIN origin AS o USING (capture)
    JOIN place AS p ON p.reading = o.reading AND (w.interface IN ('', p.interface) OR w.interface = o.name)
    WHERE NOT (o.live AND o.finished)
    GROUP BY ALL
), spoken AS (
    SELECT s.source, s.interface, s.live,
           CASE WHEN NOT s.live AND s.unfinished THEN 'reading' WHEN NOT s.live THEN 'read'
                WHEN s.heard THEN 'running' ELSE 'stopped' END AS state,
           s.last_packet_ts, s.heard_ts, coalesce(c.packets, 0)::BIGINT AS packets, coalesce(c.bytes, 0)::BIGINT AS bytes,
           greatest(1.0, least(3600.0, coalesce(date_diff('microsecond', greatest(n.hour, s.first_ts), s.last_packet_ts)
                                                / 1000000, 1.0))) AS span_s,
           n.packets AS newest_packets, n.bytes AS newest_bytes,
           l.kernel_packets, l.kernel_drops, l.interface_drops, l.ring_freezes, c.duplicates, c.group_packets, c.truncated,
           c.segments, t.conversations, t.understood, t.tcp_conversations, t.one_sided,
           s.workers, s.sandbox, s.compiled, s.parser_failures, w.warnings
    FROM standing AS s
    LEFT JOIN carried AS c USING (source, interface)
    LEFT JOIN newest AS n USING (source, interface)
    LEFT JOIN lost AS l USING (source, interface)
    LEFT JOIN talked AS t USING (source, interface)
    LEFT JOIN warned AS w USING (source, interface)
)
SELECT source, interface, live, state, last_packet_ts, heard_ts, packets, bytes,
       round(coalesce(newest_packets, 0) / span_s, 3) AS packets_per_s,
       round(8 * coalesce(newest_bytes, 0) / span_s, 1) AS bits_per_s,
       coalesce(kernel_packets, 0)::BIGINT AS kernel_packets, coalesce(kernel_drops, 0)::BIGINT AS kernel_drops,
       coalesce(interface_drops, 0)::BIGINT AS interface_drops, coalesce(ring_freezes, 0)::BIGINT AS ring_freezes,
       coalesce(duplicates, 0)::BIGINT AS duplicates, coalesce(group_packets, 0)::BIGINT AS group_packets,
       coalesce(truncated, 0)::BIGINT AS truncated, coalesce(segments, 0)::BIGINT AS segments,
       coalesce(conversations, 0)::BIGINT AS conversations, coalesce(understood, 0)::BIGINT AS understood,
       coalesce(tcp_conversations, 0)::BIGINT AS tcp_conversations, coalesce(one_sided, 0)::BIGINT AS one_sided,
       workers, sandbox, coalesce(compiled = 1, false) AS compiled, coalesce(parser_failures, 0)::BIGINT AS parser_failures,
       coalesce(warnings, []) AS warnings
FROM spoken
WHERE ($live::BOOLEAN IS NULL OR live = $live)
  AND ($interface::VARCHAR IS NULL OR interface = $interface)
  AND ($state::VARCHAR IS NULL OR state = $state)
  AND ($after_source::VARCHAR IS NULL OR (source, interface) > ($after_source, $after_interface))
ORDER BY source, interface
LIMIT $row_limit
