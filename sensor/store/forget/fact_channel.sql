DELETE FROM fact_channel WHERE capture = $capture
