-- Which device a described thing is, per speaker.
CREATE OR REPLACE TEMP TABLE subject_device (
    scope VARCHAR NOT NULL, mac BIGINT, ip VARCHAR, about VARCHAR NOT NULL, device_id VARCHAR NOT NULL
)
