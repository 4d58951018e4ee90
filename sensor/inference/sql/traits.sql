-- What hints at which device an endpoint is: keys it showed, AE titles it called itself, host names it gave, HL7
-- applications it sent as, addresses it stated; and whether others store objects on it.
SELECT DISTINCT f.scope, f.mac, f.ip, 'certificate-key' AS kind, coalesce(c.spki_sha256, f.sha256) AS value
FROM fact_certificate AS f
JOIN (SELECT DISTINCT sha256, spki_sha256, personal FROM certificate) AS c ON c.sha256 = f.sha256
WHERE f.position = 0 AND f.about = 'side' AND NOT c.personal
UNION
SELECT DISTINCT scope, mac, ip, 'ae-title', value
FROM fact_attribute
WHERE name = 'dicom.calling_ae_title' AND about = 'side' AND side = 'initiator'
UNION
SELECT DISTINCT scope, mac, ip, 'implementation-class-uid', value
FROM fact_attribute
WHERE name = 'dicom.implementation_class_uid' AND about = 'side'
UNION
-- The first label of a name in a domain. Numbers are addresses.
SELECT DISTINCT scope, mac, ip, 'hostname', lower(split_part(value, '.', 1))
FROM fact_attribute
WHERE list_contains($host_names, name) AND about = 'side' AND NOT regexp_full_match(value, '[0-9.]*')
UNION
SELECT DISTINCT scope, mac, ip, 'hl7-application', principal
FROM fact_authentication
WHERE mechanism = 'hl7-application' AND about = 'side' AND principal IS NOT NULL
UNION
SELECT DISTINCT scope, mac, ip, 'network-address', value
FROM fact_attribute
WHERE name IN ('hl7.sending_network_address', 'hl7.sending_facility', 'hl7.sending_application') AND about = 'side'
UNION
SELECT DISTINCT scope, peer_mac, peer_ip, 'keeps-objects', 'C-STORE'
FROM fact_attribute
WHERE name = 'dicom.operation' AND value = 'C-STORE' AND about = 'side' AND (peer_mac IS NOT NULL OR peer_ip IS NOT NULL)
