SELECT number FROM migration WHERE number >= 0
