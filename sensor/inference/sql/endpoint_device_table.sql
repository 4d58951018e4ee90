-- Which device an address pair is. `internal`: the address belongs to the site. What is text of an address, or a part of
-- Community IDs, is made once here instead of for each fact.
CREATE OR REPLACE TEMP TABLE endpoint_device (
    scope VARCHAR NOT NULL, mac BIGINT, mac_text VARCHAR, ip VARCHAR, ip_digits VARCHAR, device_id VARCHAR, internal BOOLEAN NOT NULL
)
