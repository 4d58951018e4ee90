-- What was made of `incoming` comes in its place.
ALTER TABLE once RENAME TO incoming
