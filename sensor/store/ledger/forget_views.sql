DELETE FROM migration WHERE number = -1
