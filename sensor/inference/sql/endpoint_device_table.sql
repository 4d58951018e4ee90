-- Which device an address pair is. `internal`: the address belongs to the site.
CREATE OR REPLACE TEMP TABLE endpoint_device (
    scope VARCHAR NOT NULL, mac BIGINT, ip VARCHAR, device_id VARCHAR, internal BOOLEAN NOT NULL
)
