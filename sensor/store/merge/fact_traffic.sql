-- One row per capture, hour, interface and segment; what was counted is added up.
MERGE INTO fact_traffic AS t
USING (
    SELECT capture, parser_set, hour, interface, segment,
        CAST(sum(packets) AS BIGINT) AS packets, CAST(sum(bytes) AS BIGINT) AS bytes,
        CAST(sum(duplicates) AS BIGINT) AS duplicates, CAST(sum(group_packets) AS BIGINT) AS group_packets,
        CAST(sum(truncated) AS BIGINT) AS truncated
    FROM incoming
    GROUP BY ALL
) AS s
ON t.capture = s.capture AND t.hour = s.hour AND t.interface = s.interface AND t.segment = s.segment
WHEN MATCHED THEN UPDATE SET
    packets = t.packets + s.packets, bytes = t.bytes + s.bytes, duplicates = t.duplicates + s.duplicates,
    group_packets = t.group_packets + s.group_packets, truncated = t.truncated + s.truncated
WHEN NOT MATCHED THEN INSERT BY NAME *
