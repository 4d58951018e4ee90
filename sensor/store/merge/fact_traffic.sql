-- One row per reading, hour, interface and segment; what was counted is added up.
MERGE INTO fact_traffic AS t
USING incoming AS s
ON t.reading = s.reading AND t.hour = s.hour AND t.interface = s.interface AND t.segment = s.segment
WHEN MATCHED THEN UPDATE SET
    packets = t.packets + s.packets, bytes = t.bytes + s.bytes, duplicates = t.duplicates + s.duplicates,
    group_packets = t.group_packets + s.group_packets, truncated = t.truncated + s.truncated
WHEN NOT MATCHED THEN INSERT BY NAME *
