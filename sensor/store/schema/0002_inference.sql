-- What follows from the facts. Rewritten by inference, except `finding_change`, which only grows.

CREATE TABLE device (
    device_id VARCHAR NOT NULL, label VARCHAR NOT NULL,
    vendor VARCHAR, model VARCHAR, device_type VARCHAR, serial VARCHAR, software VARCHAR, os VARCHAR, role VARCHAR,
    described BOOLEAN NOT NULL,       -- only spoken of by others, never seen to talk
    first_ts TIMESTAMP NOT NULL, last_ts TIMESTAMP NOT NULL,
    why VARCHAR NOT NULL              -- JSON: per column, the evidence that won and why
);

-- An id that no longer stands for itself keeps resolving.
CREATE TABLE device_alias (device_id VARCHAR NOT NULL, now_id VARCHAR NOT NULL);

CREATE TABLE device_endpoint (
    device_id VARCHAR NOT NULL, scope VARCHAR NOT NULL, mac VARCHAR, ip VARCHAR,
    first_ts TIMESTAMP NOT NULL, last_ts TIMESTAMP NOT NULL, reason VARCHAR NOT NULL
);

-- All evidence about a device, the losing kind too.
CREATE TABLE device_attribute (
    device_id VARCHAR NOT NULL, name VARCHAR NOT NULL, value VARCHAR NOT NULL, source VARCHAR NOT NULL, certainty DOUBLE NOT NULL,
    chosen BOOLEAN NOT NULL, first_ts TIMESTAMP NOT NULL, last_ts TIMESTAMP NOT NULL, n BIGINT NOT NULL
);

CREATE TABLE identity (
    identity_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,            -- certificate-key | ae-title | dicom-username | psk | ...
    label VARCHAR NOT NULL,           -- what people call it: AE title, user name, certificate's subject
    realm VARCHAR,
    belongs_to VARCHAR NOT NULL,      -- device | service | human | vendor | unknown
    strength VARCHAR NOT NULL,        -- none | weak | fair | strong
    device_count BIGINT NOT NULL, first_ts TIMESTAMP NOT NULL, last_ts TIMESTAMP NOT NULL,
    why VARCHAR NOT NULL              -- JSON
);

CREATE TABLE identity_use (
    identity_id VARCHAR NOT NULL, device_id VARCHAR NOT NULL, peer_device_id VARCHAR,
    use VARCHAR NOT NULL,             -- shows | claims | answers_to
    protocol VARCHAR NOT NULL, port INTEGER, outcome VARCHAR, protection VARCHAR,
    first_ts TIMESTAMP NOT NULL, last_ts TIMESTAMP NOT NULL, n BIGINT NOT NULL, day_count BIGINT NOT NULL
);

CREATE TABLE blindspot (
    device_id VARCHAR NOT NULL, day DATE NOT NULL, conversations BIGINT NOT NULL, understood BIGINT NOT NULL,
    reason VARCHAR NOT NULL, reason_count BIGINT NOT NULL
);

CREATE TABLE finding (
    finding_id VARCHAR NOT NULL, rule_id VARCHAR NOT NULL, status VARCHAR NOT NULL,   -- open | resolved | accepted
    severity VARCHAR NOT NULL, confidence VARCHAR NOT NULL, title VARCHAR NOT NULL,
    device_id VARCHAR, identity_id VARCHAR, scope VARCHAR, ip VARCHAR, mac VARCHAR,
    first_ts TIMESTAMP NOT NULL, last_ts TIMESTAMP NOT NULL,
    evidence VARCHAR NOT NULL,        -- JSON: what the rule returned, with capture, frame and community_id
    changed_seq BIGINT NOT NULL
);

-- Append-only. `seq` is the feed's cursor: one writer assigns it in the order of commits, without holes.
CREATE TABLE finding_change (
    seq BIGINT NOT NULL, finding_id VARCHAR NOT NULL, change VARCHAR NOT NULL,        -- opened | seen_again | resolved | reopened | changed
    as_of TIMESTAMP NOT NULL, rule_id VARCHAR NOT NULL, severity VARCHAR NOT NULL, body VARCHAR NOT NULL
);
