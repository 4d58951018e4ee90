DELETE FROM fact_attribute WHERE capture = $capture
