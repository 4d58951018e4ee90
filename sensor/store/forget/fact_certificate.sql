DELETE FROM fact_certificate WHERE capture = $capture
