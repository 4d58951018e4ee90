DELETE FROM blindspot
