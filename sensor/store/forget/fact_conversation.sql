DELETE FROM fact_conversation WHERE capture = $capture
