-- Captures that are another one in gzip or zstd: what is in them stands in the store under that one's id.

CREATE TABLE compressed_copy (copy VARCHAR NOT NULL, capture VARCHAR NOT NULL);
