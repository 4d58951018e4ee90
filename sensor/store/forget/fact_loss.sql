DELETE FROM fact_loss WHERE capture = $capture
