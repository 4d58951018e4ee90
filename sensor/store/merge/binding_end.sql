-- What step 1 has found has done its work.
DROP TABLE held
