/*
id: DCM-005
title: DICOM ticket, assertion or token in clear text
severity: high
confidence: certain
why: >-
  A SAML assertion or JSON web token is good for whoever holds it until it ends, and it crosses the network
  readable. A Kerberos ticket is protected against reuse, so it weighs less.
remedy: >-
  Run the association inside TLS.
references:
  - DICOM PS3.7 D.3.3.7
  - RFC 7519 11
  - RFC 4120
resolves: {seen: authentication}
mappings:
  owasp_nhi: ["NHI2:2025", "NHI4:2025"]
  nist_csf: [PR.AA-04]
  cwe: [523, 294]
  attack: [T1528, T1550.001]
  hipaa: ["164.312(d)", "164.312(e)(1)"]
  iec_62443: [CR 3.8]
  fda: [AuthN]
cases:
  fire:
    - what: a JSON web token without TLS
      rows:
        - {authentication: {mechanism: dicom-jwt, outcome: unknown}, protocol: dicom, port: 104}
      severity: high
      count: 1
    - what: a Kerberos ticket without TLS
      rows:
        - {authentication: {mechanism: dicom-kerberos, principal: dicom/pacs, outcome: unknown}, protocol: dicom, port: 104}
      severity: low
    - what: recorded, a SAML assertion
      capture: pcaps/dicom/user_identity_4.pcap
  silent:
    - what: inside TLS
      rows:
        - {authentication: {mechanism: dicom-saml, protection: tls}, protocol: dicom, port: 104}
    - what: a user name is another finding
      rows:
        - {authentication: {mechanism: dicom-username, principal: ctservice}, protocol: dicom, port: 104}
    - what: recorded, a user name alone
      capture: pcaps/dicom/user_identity_1.pcap
*/
SELECT device_id, identity_id, scope, mac, ip, NULL AS port,
    mechanism || ' to ' || coalesce(peer_ip, 'an unknown address') AS subject,
    CASE mechanism WHEN 'dicom-kerberos' THEN 'low' ELSE 'high' END AS severity,
    mechanism, outcome, json_extract_string(details, '$.issuer') AS issuer, peer_ip, port AS peer_port,
    first_ts, last_ts, capture, frame, community_id
FROM seen_authentication
WHERE mechanism IN ('dicom-kerberos', 'dicom-saml', 'dicom-jwt') AND protection <> 'tls' AND device_id IS NOT NULL
