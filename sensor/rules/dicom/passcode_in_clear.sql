/*
id: DCM-003
title: DICOM user name and passcode in clear text
severity: high
confidence: certain
why: >-
  The passcode of a DICOM user crosses the network readable. Whoever records one association can use the account
  from then on, perhaps at other services, too.
remedy: >-
  Change the passcode and use it only inside TLS, or use Kerberos or a signed assertion inside TLS.
references:
  - DICOM PS3.7 D.3.3.7.1
  - DICOM PS3.15 B
resolves: {seen: authentication}
mappings:
  owasp_nhi: ["NHI4:2025", "NHI2:2025"]
  nist_csf: [PR.AA-01, PR.DS-02]
  cwe: [319, 522, 523]
  attack: [T1040, T1552]
  hipaa: ["164.312(d)", "164.312(e)(2)(ii)"]
  iec_62443: [CR 1.5, CR 4.1]
  fda: [AuthN]
cases:
  fire:
    - what: user name and passcode without TLS
      rows:
        - {authentication: {mechanism: dicom-username-passcode, principal: ctservice, outcome: unknown}, protocol: dicom, port: 104}
      count: 1
    - what: recorded, user name and passcode
      capture: pcaps/dicom/user_identity_2.pcap
  silent:
    - what: inside TLS
      rows:
        - {authentication: {mechanism: dicom-username-passcode, principal: ctservice, protection: tls}, protocol: dicom, port: 104}
    - what: a user name alone gives no passcode away
      rows:
        - {authentication: {mechanism: dicom-username, principal: ctservice}, protocol: dicom, port: 104}
    - what: recorded, a user name alone
      capture: pcaps/dicom/user_identity_1.pcap
*/
SELECT device_id, identity_id, scope, mac, ip, NULL AS port,
    'passcode of ' || coalesce(principal, 'an unnamed user') AS subject,
    principal, secret_class, secret_length, outcome, peer_ip, port AS peer_port, first_ts, last_ts, capture, frame, community_id
FROM seen_authentication
WHERE mechanism = 'dicom-username-passcode' AND protection <> 'tls' AND device_id IS NOT NULL
