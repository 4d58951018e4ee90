-- The parts of `incoming` of which a row is in the store. Of all others there is nothing to merge.
SELECT DISTINCT s.part
FROM incoming AS s
SEMI JOIN fact_attribute AS t ON t.capture = s.capture AND t.day = s.day AND t.id = s.id
