-- What hints at which device an endpoint is: keys it showed, AE titles it called itself, host names it gave; and whether
-- others store objects on it.
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
SELECT DISTINCT scope, mac, ip, 'hostname', lower(value)
FROM fact_attribute
WHERE name IN ('dhcp.hostname', 'ntlm.computer_name', 'ntlm.workstation', 'smb.server_name', 'nbns.name', 'mdns.name', 'lldp.system_name')
    AND about = 'side'
UNION
SELECT DISTINCT scope, peer_mac, peer_ip, 'keeps-objects', 'C-STORE'
FROM fact_attribute
WHERE name = 'dicom.operation' AND value = 'C-STORE' AND about = 'side' AND (peer_mac IS NOT NULL OR peer_ip IS NOT NULL)
