SELECT coalesce(max(seq), 0) FROM finding_change
