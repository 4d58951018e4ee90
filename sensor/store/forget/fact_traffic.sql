DELETE FROM fact_traffic WHERE capture = $capture
