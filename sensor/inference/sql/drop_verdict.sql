DROP VIEW IF EXISTS temp.verdict
