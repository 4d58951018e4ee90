/*
id: NTLM-002
title: NTLM where the server also takes Kerberos
severity: low
confidence: probable
why: >-
  The server knows Kerberos, as others show, but this device logged on to it with NTLM and an account of the domain. NTLM
  can be passed on to another server and be guessed offline; the server never proves who it is. Calling the server by its
  IP address is enough to cause it.
remedy: >-
  Let the device call the server by the name that Kerberos knows (its SPN), and join it to the domain if it can be. Then
  restrict NTLM at the server, watching the log first.
references:
  - MS-NLMP 1.1
  - MS-SPNG 3.1.5.2
  - RFC 4178
resolves: {seen: authentication}
mappings:
  owasp_nhi: ["NHI4:2025"]
  nist_csf: [PR.AA-03]
  cwe: [1390, 287]
  attack: [T1557.001]
  hipaa: ["164.312(d)"]
  iec_62443: [CR 1.1]
  fda: [AuthN]
cases:
  fire:
    - what: another device had a ticket
      rows:
        - {authentication: {mechanism: kerberos, realm: WARD.EXAMPLE, service: cifs/fs1.ward.example, ticket_etype: aes256-cts-hmac-sha1-96}, protocol: smb, port: 445, from: 10.0.0.12}
        - {authentication: {mechanism: ntlm, principal: ct, realm: WARD, version: NTLMv2, target_name: FS1, target_spn: cifs/10.0.0.2}, protocol: smb, port: 445, at: +1h}
      count: 1
    - what: the same device had a ticket for another account
      rows:
        - {authentication: {mechanism: kerberos, realm: WARD.EXAMPLE, service: cifs/fs1.ward.example}, protocol: smb, port: 445}
        - {authentication: {mechanism: ntlm, principal: ct, realm: WARD, version: NTLMv2, target_name: FS1}, protocol: smb, port: 445, at: +2d}
      count: 1
    - what: recorded, NTLM beside Kerberos at one server
      capture: pcaps/smb/ntlm_beside_kerberos.pcap
      severity: low
  silent:
    - what: nobody has a ticket for this server
      rows:
        - {authentication: {mechanism: kerberos, realm: WARD.EXAMPLE, service: cifs/fs2.ward.example}, protocol: smb, port: 445, from: 10.0.0.12, to: 10.0.0.3}
        - {authentication: {mechanism: ntlm, principal: ct, realm: WARD, version: NTLMv2, target_name: FS1}, protocol: smb, port: 445}
    - what: an account of the server itself, which Kerberos does not know
      rows:
        - {authentication: {mechanism: kerberos, realm: WARD.EXAMPLE, service: cifs/fs1.ward.example}, protocol: smb, port: 445, from: 10.0.0.12}
        - {authentication: {mechanism: ntlm, principal: scan, realm: FS1, version: NTLMv2, target_name: FS1}, protocol: smb, port: 445}
    - what: a device outside the domain names itself
      rows:
        - {authentication: {mechanism: kerberos, realm: WARD.EXAMPLE, service: cifs/fs1.ward.example}, protocol: smb, port: 445, from: 10.0.0.12}
        - {authentication: {mechanism: ntlm, principal: scan, realm: CT1, workstation: CT1, version: NTLMv2, target_name: FS1}, protocol: smb, port: 445}
    - what: the ticket was refused
      rows:
        - {authentication: {mechanism: kerberos, realm: WARD.EXAMPLE, service: cifs/fs1.ward.example, outcome: rejected}, protocol: smb, port: 445, from: 10.0.0.12}
        - {authentication: {mechanism: ntlm, principal: ct, realm: WARD, version: NTLMv2, target_name: FS1}, protocol: smb, port: 445}
    - what: NTLM was refused
      rows:
        - {authentication: {mechanism: kerberos, realm: WARD.EXAMPLE, service: cifs/fs1.ward.example}, protocol: smb, port: 445, from: 10.0.0.12}
        - {authentication: {mechanism: ntlm, principal: ct, realm: WARD, version: NTLMv2, target_name: FS1, outcome: rejected}, protocol: smb, port: 445}
    - what: tickets were last seen two months before
      rows:
        - {authentication: {mechanism: kerberos, realm: WARD.EXAMPLE, service: cifs/fs1.ward.example}, protocol: smb, port: 445, from: 10.0.0.12, at: -60d}
        - {authentication: {mechanism: ntlm, principal: ct, realm: WARD, version: NTLMv2, target_name: FS1}, protocol: smb, port: 445}
    - what: tickets came two months later
      rows:
        - {authentication: {mechanism: ntlm, principal: ct, realm: WARD, version: NTLMv2, target_name: FS1}, protocol: smb, port: 445, at: -60d}
        - {authentication: {mechanism: kerberos, realm: WARD.EXAMPLE, service: cifs/fs1.ward.example}, protocol: smb, port: 445, from: 10.0.0.12}
    - what: the ticket was for another service on the machine
      rows:
        - {authentication: {mechanism: kerberos, realm: WARD.EXAMPLE, service: http/fs1.ward.example}, protocol: smb, port: 8445, from: 10.0.0.12}
        - {authentication: {mechanism: ntlm, principal: ct, realm: WARD, version: NTLMv2, target_name: FS1}, protocol: smb, port: 445}
    - what: it became a guest, so no account was checked
      rows:
        - {authentication: {mechanism: kerberos, realm: WARD.EXAMPLE, service: cifs/fs1.ward.example}, protocol: smb, port: 445, from: 10.0.0.12}
        - {authentication: {mechanism: ntlm, principal: ct, realm: WARD, version: NTLMv2, target_name: FS1, guest: true}, protocol: smb, port: 445}
    - what: recorded, a server without Kerberos
      capture: pcaps/smb/smb311_ntlmv2.pcap
    - what: recorded, NTLM at a server that nobody had a ticket for
      capture: pcaps/smb/ntlm_domain.pcap
    - what: recorded, Kerberos alone
      capture: pcaps/smb/kerberos_aes256.pcap
*/
WITH tickets AS (
    SELECT peer_id, port, min(first_ts) AS since, max(last_ts) AS until, min(realm) AS realm,
        min(json_extract_string(details, '$.service')) AS service
    FROM seen_authentication
    WHERE mechanism = 'kerberos' AND outcome = 'accepted' AND peer_id IS NOT NULL
    GROUP BY peer_id, port
)
SELECT n.device_id, n.identity_id, n.scope, n.mac, n.ip, NULL AS port, 'NTLM instead of Kerberos' AS subject,
    n.principal, n.realm, json_extract_string(n.details, '$.version') AS version,
    json_extract_string(n.details, '$.target_spn') AS target_spn, t.realm AS kerberos_realm, t.service AS kerberos_service,
    n.peer_ip, n.port AS peer_port, n.first_ts, n.last_ts, n.capture, n.frame, n.community_id
FROM seen_authentication AS n
JOIN tickets AS t ON t.peer_id = n.peer_id AND t.port IS NOT DISTINCT FROM n.port
    AND n.last_ts > t.since - INTERVAL 30 DAY AND n.first_ts < t.until + INTERVAL 30 DAY
WHERE n.mechanism = 'ntlm' AND n.outcome = 'accepted' AND n.identity_id IS NOT NULL AND n.device_id IS NOT NULL
    AND json_extract_string(n.details, '$.guest') IS DISTINCT FROM 'true'
    -- an account of the server's own is beyond Kerberos; where the server's name was not read this is not known
    AND account_realm(n.realm, n.details) <> lower(json_extract_string(n.details, '$.target_name'))
