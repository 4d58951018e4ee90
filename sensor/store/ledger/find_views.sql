SELECT name FROM migration WHERE number = -1
