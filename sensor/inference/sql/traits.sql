-- What hints at which device an endpoint is: keys it showed, AE titles it called itself, host names it gave, HL7
-- applications it sent as, addresses it stated; and whether others store objects on it.
WITH telling AS (
    SELECT reading, id, name, value
    FROM attribute
    WHERE about = 'side' AND (list_contains($host_names, name) OR name IN (
        'dicom.calling_ae_title', 'dicom.implementation_class_uid', 'dicom.operation',
        'hl7.sending_network_address', 'hl7.sending_facility', 'hl7.sending_application'))
), told AS MATERIALIZED (
    SELECT DISTINCT p.scope, p.side, p.mac, p.ip, p.peer_mac, p.peer_ip, a.name, a.value
    FROM fact_attribute AS f
    JOIN telling AS a ON a.reading = f.reading AND a.id = f.attribute
    JOIN place AS p ON p.reading = f.reading AND p.day = f.day AND p.id = f.place
), trait AS (
    SELECT DISTINCT p.scope, p.mac, p.ip, 'certificate-key' AS kind, coalesce(c.spki_sha256, f.sha256) AS value
    FROM fact_certificate AS f
    JOIN place AS p ON p.reading = f.reading AND p.day = f.day AND p.id = f.place
    JOIN (SELECT DISTINCT sha256, spki_sha256, personal FROM certificate) AS c ON c.sha256 = f.sha256
    WHERE f.position = 0 AND f.about = 'side' AND NOT c.personal
    UNION
    SELECT DISTINCT scope, mac, ip, 'ae-title', value
    FROM told
    WHERE name = 'dicom.calling_ae_title' AND side = 'initiator'
    UNION
    SELECT DISTINCT scope, mac, ip, 'implementation-class-uid', value
    FROM told
    WHERE name = 'dicom.implementation_class_uid'
    UNION
    -- The first label of a name in a domain. Numbers are addresses.
    SELECT DISTINCT scope, mac, ip, 'hostname', lower(split_part(value, '.', 1))
    FROM told
    WHERE list_contains($host_names, name) AND NOT regexp_full_match(value, '[0-9.]*')
    UNION
    SELECT DISTINCT p.scope, p.mac, p.ip, 'hl7-application', f.principal
    FROM fact_authentication AS f
    JOIN place AS p ON p.reading = f.reading AND p.day = f.day AND p.id = f.place
    WHERE f.mechanism = 'hl7-application' AND f.about = 'side' AND f.principal IS NOT NULL
    UNION
    SELECT DISTINCT scope, mac, ip, 'network-address', value
    FROM told
    WHERE name IN ('hl7.sending_network_address', 'hl7.sending_facility', 'hl7.sending_application')
    UNION
    SELECT DISTINCT scope, peer_mac, peer_ip, 'keeps-objects', 'C-STORE'
    FROM told
    WHERE name = 'dicom.operation' AND value = 'C-STORE' AND (peer_mac IS NOT NULL OR peer_ip IS NOT NULL)
)
SELECT scope, mac_text(mac), ip, kind, value FROM trait
