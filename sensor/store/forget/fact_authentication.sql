DELETE FROM fact_authentication WHERE capture = $capture
