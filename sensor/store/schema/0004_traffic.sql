-- What each segment carried, what was lost, and what is wrong with the mirror in words. Interface and segment: see 0003.

ALTER TABLE capture ADD COLUMN live BOOLEAN;
ALTER TABLE capture ADD COLUMN sandbox VARCHAR;

-- Packets, whatever they carried, by the hour in which they came. `bytes` are those on the wire.
CREATE TABLE fact_traffic (
    capture VARCHAR NOT NULL, parser_set VARCHAR NOT NULL,
    hour TIMESTAMP NOT NULL, interface VARCHAR NOT NULL, segment VARCHAR NOT NULL,
    packets BIGINT NOT NULL, bytes BIGINT NOT NULL,
    duplicates BIGINT NOT NULL,        -- shown by the mirror before, and counted in `packets` all the same
    group_packets BIGINT NOT NULL,     -- to a broadcast or multicast MAC address
    truncated BIGINT NOT NULL          -- cut by a snap length
);

-- Live only: what did not reach the engine.
CREATE TABLE fact_loss (
    capture VARCHAR NOT NULL, parser_set VARCHAR NOT NULL, hour TIMESTAMP NOT NULL, interface VARCHAR NOT NULL,
    kernel_packets BIGINT NOT NULL, kernel_drops BIGINT NOT NULL, interface_drops BIGINT NOT NULL, ring_freezes BIGINT NOT NULL
);

-- What is wrong with the mirror, in words, now (live) or over the whole capture. Written anew as a whole.
CREATE TABLE mirror_warning (
    capture VARCHAR NOT NULL, parser_set VARCHAR NOT NULL,
    interface VARCHAR NOT NULL, kind VARCHAR NOT NULL, words VARCHAR NOT NULL,
    since TIMESTAMP                    -- live: when it began; else when the capture does
);
