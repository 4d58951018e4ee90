-- One row per capture, hour and interface; what was counted is added up.
MERGE INTO fact_loss AS t
USING (
    SELECT capture, parser_set, hour, interface,
        CAST(sum(kernel_packets) AS BIGINT) AS kernel_packets, CAST(sum(kernel_drops) AS BIGINT) AS kernel_drops,
        CAST(sum(interface_drops) AS BIGINT) AS interface_drops, CAST(sum(ring_freezes) AS BIGINT) AS ring_freezes
    FROM incoming
    GROUP BY ALL
) AS s
ON t.capture = s.capture AND t.hour = s.hour AND t.interface = s.interface
WHEN MATCHED THEN UPDATE SET
    kernel_packets = t.kernel_packets + s.kernel_packets, kernel_drops = t.kernel_drops + s.kernel_drops,
    interface_drops = t.interface_drops + s.interface_drops, ring_freezes = t.ring_freezes + s.ring_freezes
WHEN NOT MATCHED THEN INSERT BY NAME *
