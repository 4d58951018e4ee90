-- One row per reading, hour and interface; what was counted is added up.
MERGE INTO fact_loss AS t
USING incoming AS s
ON t.reading = s.reading AND t.hour = s.hour AND t.interface = s.interface
WHEN MATCHED THEN UPDATE SET
    kernel_packets = t.kernel_packets + s.kernel_packets, kernel_drops = t.kernel_drops + s.kernel_drops,
    interface_drops = t.interface_drops + s.interface_drops, ring_freezes = t.ring_freezes + s.ring_freezes
WHEN NOT MATCHED THEN INSERT BY NAME *
