/*
id: ID-013
title: Secret that is guessed at the first try
severity: high
confidence: certain
why: >-
  The secret is empty, a well-known default, the account's own name, or shorter than eight characters. The sensor does
  not keep it, only what kind it is. An intruder tries these first.
remedy: >-
  Set a long random secret of the device's own, on the device and at the service together. If the device does not allow
  it, ask its maker, and let the service take this account from the device's address only.
references:
  - NIST SP 800-63B 5.1.1 (memorized secrets)
  - IEC 62443-4-2 CR 1.7
resolves: {seen: authentication}
mappings:
  owasp_nhi: ["NHI4:2025", "NHI7:2025"]
  nist_csf: [PR.AA-01]
  cwe: [1391, 1392, 1393]
  attack: [T1078.001, T1110.001]
  hipaa: ["164.312(d)"]
  iec_62443: [CR 1.5, CR 1.7]
  fda: [AuthN]
cases:
  fire:
    - what: a default that was accepted
      rows:
        - {authentication: {mechanism: dicom-username-passcode, principal: ct, secret_class: default, secret_length: 8-11}, protocol: dicom, port: 104}
      severity: high
      count: 1
    - what: the account's own name, and no answer was seen
      rows:
        - {authentication: {mechanism: smb-plaintext, principal: scan, realm: WARD, secret_class: same_as_principal, outcome: unknown}, protocol: smb, port: 139}
      severity: medium
      count: 1
    - what: six characters
      rows:
        - {authentication: {mechanism: smb-plaintext, principal: scan, realm: WARD, secret_class: short, secret_length: <8}, protocol: smb, port: 139}
      severity: medium
      count: 1
    - what: an account without a password
      rows:
        - {authentication: {mechanism: smb-plaintext, principal: scan, realm: WARD, secret_class: empty}, protocol: smb, port: 139}
      severity: high
    - what: recorded, a passcode that is the name
      capture: pcaps/dicom/user_identity_2_same.pcap
      severity: high
    - what: recorded, an empty passcode
      capture: pcaps/dicom/user_identity_2_empty.pcap
      severity: medium
    - what: recorded, MSH-8 is the sender's name
      capture: pcaps/hl7/security_same.pcap
      severity: high
  silent:
    - what: a long one
      rows:
        - {authentication: {mechanism: dicom-username-passcode, principal: ct, secret_class: other, secret_length: ">=12"}, protocol: dicom, port: 104}
    - what: somebody tried a default in vain
      rows:
        - {authentication: {mechanism: dicom-username-passcode, principal: ct, secret_class: default, outcome: rejected}, protocol: dicom, port: 104}
    - what: nobody with no password is an anonymous caller
      rows:
        - {authentication: {mechanism: smb-plaintext, secret_class: empty, "null": true}, protocol: smb, port: 139}
    - what: a short code in MSH-8 need not be a password
      rows:
        - {authentication: {mechanism: hl7-security, principal: LAB, secret_class: short}, protocol: hl7, port: 2575}
    - what: a response shows no secret
      rows:
        - {authentication: {mechanism: ntlm, principal: ct, realm: WARD, version: NTLMv2}, protocol: smb, port: 445}
    - what: recorded, a passcode
      capture: pcaps/dicom/user_identity_2_ignored.pcap
    - what: recorded, a passcode that was refused
      capture: pcaps/dicom/user_identity_2_refused.pcap
    - what: recorded, a password in MSH-8
      capture: pcaps/hl7/security.pcap
*/
SELECT device_id, identity_id, scope, mac, ip, NULL AS port,
    CASE secret_class WHEN 'default' THEN 'default secret' WHEN 'empty' THEN 'empty secret'
        WHEN 'same_as_principal' THEN 'secret is the name' ELSE 'short secret' END
        || ' of ' || coalesce(lower(principal), 'an unnamed account') AS subject,
    CASE WHEN secret_class = 'short' OR outcome <> 'accepted' THEN 'medium' ELSE 'high' END AS severity,
    mechanism, principal, realm, secret_class, secret_length, outcome, protection, peer_ip, port AS peer_port,
    first_ts, last_ts, capture, frame, community_id
FROM seen_authentication
WHERE secret_class IN ('default', 'empty', 'same_as_principal', 'short') AND outcome <> 'rejected' AND device_id IS NOT NULL
    AND NOT (secret_class = 'empty' AND principal IS NULL)
    AND NOT (secret_class = 'short' AND mechanism = 'hl7-security')
