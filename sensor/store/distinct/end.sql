-- It was read.
DROP TABLE incoming
