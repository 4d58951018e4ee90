/*
id: DCM-004
title: DICOM user name without a proof
severity: medium
confidence: certain
why: >-
  The caller names a user and proves nothing. If the service decides by that name, anyone who knows it gets that
  user's rights.
remedy: >-
  Ask for a passcode, Kerberos ticket or signed assertion, and only inside TLS.
references:
  - DICOM PS3.7 D.3.3.7
resolves: {seen: authentication}
mappings:
  owasp_nhi: ["NHI4:2025"]
  nist_csf: [PR.AA-03]
  cwe: [287]
  attack: [T1078]
  hipaa: ["164.312(d)", "164.312(a)(2)(i)"]
  iec_62443: [CR 1.1]
  fda: [AuthN]
cases:
  fire:
    - what: a user name and nothing else
      rows:
        - {authentication: {mechanism: dicom-username, principal: ctservice, outcome: unknown}, protocol: dicom, port: 104}
      count: 1
    - what: recorded, a user name alone
      capture: pcaps/dicom/user_identity_1.pcap
  silent:
    - what: a passcode was given, too
      rows:
        - {authentication: {mechanism: dicom-username-passcode, principal: ctservice}, protocol: dicom, port: 104}
    - what: rejected
      rows:
        - {authentication: {mechanism: dicom-username, principal: ctservice, outcome: rejected}, protocol: dicom, port: 104}
    - what: recorded, user name and passcode
      capture: pcaps/dicom/user_identity_2.pcap
*/
SELECT device_id, identity_id, scope, mac, ip, NULL AS port,
    'user ' || coalesce(principal, 'without a name') AS subject,
    principal, outcome, protection, peer_ip, port AS peer_port, first_ts, last_ts, capture, frame, community_id
FROM seen_authentication
WHERE mechanism = 'dicom-username' AND outcome <> 'rejected' AND device_id IS NOT NULL
