/*
id: SMB-007
title: Device logs on to a file server outside the hospital
severity: high
confidence: certain
why: >-
  The device sent its account and the answer to the server's challenge across the hospital's border. Whoever runs that
  server, or listens on the way, can compute the password at leisure, or pass the logon on. Links in mails and documents
  make workstations do this without anybody's will. A partner behind a tunnel that ends before the sensor looks the
  same: then enter the partner's network in the site file.
remedy: >-
  Forbid ports 139 and 445 outward at the firewall. Change the account's password, and find out what on the device
  opened the connection. Files for a partner belong into SFTP or HTTPS.
references:
  - MS-NLMP 5.1
  - CISA, SMB security best practices
resolves: {seen: authentication}
mappings:
  owasp_nhi: ["NHI3:2025", "NHI2:2025"]
  nist_csf: [PR.IR-01, DE.CM-06]
  cwe: [319, 668]
  attack: [T1187]
  hipaa: ["164.312(e)(1)"]
  iec_62443: [NDR 1.13]
  fda: [Conf]
cases:
  fire:
    - what: an account and a response to a server outside
      rows:
        - {authentication: {mechanism: ntlm, principal: ct, realm: WARD, version: NTLMv2, outcome: unknown}, protocol: smb, port: 445, to: 192.0.2.7}
      count: 1
    - what: refused there, which makes no difference
      rows:
        - {authentication: {mechanism: ntlm, principal: ct, realm: WARD, version: NTLMv2, outcome: rejected, status: STATUS_LOGON_FAILURE}, protocol: smb, port: 445, to: 192.0.2.7}
      count: 1
    - what: recorded, a CT at a server outside
      capture: pcaps/smb/to_outside.pcap
      severity: high
  silent:
    - what: a server of the hospital
      rows:
        - {authentication: {mechanism: ntlm, principal: ct, realm: WARD, version: NTLMv2}, protocol: smb, port: 445}
    - what: no account and no response was sent
      rows:
        - {authentication: {mechanism: ntlm, version: anonymous, "null": true}, protocol: smb, port: 445, to: 192.0.2.7}
    - what: a caller from outside is another finding
      rows:
        - {authentication: {mechanism: ntlm, principal: ct, realm: WARD, version: NTLMv2}, protocol: smb, port: 445, from: 192.0.2.7}
    - what: two machines outside
      rows:
        - {authentication: {mechanism: ntlm, principal: ct, realm: WARD, version: NTLMv2}, protocol: smb, port: 445, from: 198.51.100.9, to: 192.0.2.7}
    - what: recorded, within the hospital
      capture: pcaps/smb/smb311_ntlmv2.pcap
    - what: recorded, a caller from outside
      capture: pcaps/smb/from_outside.pcap
*/
SELECT device_id, identity_id, scope, mac, ip, NULL AS port, 'SMB logon to outside' AS subject,
    mechanism, principal, realm, json_extract_string(details, '$.version') AS version, outcome, peer_ip, port AS peer_port,
    first_ts, last_ts, capture, frame, community_id
FROM seen_authentication
WHERE protocol = 'smb' AND mechanism IN ('ntlm', 'smb-plaintext') AND principal IS NOT NULL
    AND internal AND NOT peer_internal AND device_id IS NOT NULL
