-- The word lists of sensor/knowledge/vocabulary, in lower case.
CREATE OR REPLACE TEMP TABLE vocabulary (list VARCHAR NOT NULL, word VARCHAR NOT NULL)
