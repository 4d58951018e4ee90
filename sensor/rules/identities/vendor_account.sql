/*
id: ID-005
title: Account of a maker's service in use
severity: info
confidence: certain
why: >-
  The account's name stands in public records of devices that were shipped with a known account. It says nothing about
  the password. But makers often use one account on all devices of a kind, and outsiders know its name.
remedy: >-
  Ask the maker whether the account's password is this device's own, can be changed, and who has it. Let the account
  work only while a service visit takes place.
references:
  - CISA ICSMA-18-037-02
  - CWE-798
resolves: {seen: authentication, after_days: 7}
mappings:
  owasp_nhi: ["NHI9:2025", "NHI3:2025"]
  nist_csf: [PR.AA-01]
  cwe: [798, 1392]
  attack: [T1078.001, T0812]
  hipaa: ["164.312(d)"]
  iec_62443: [CR 1.3]
  fda: [AuthN]
cases:
  fire:
    - what: it was let in
      rows:
        - {authentication: {mechanism: ntlm, principal: MuseAdmin, realm: WARD, version: NTLMv2}, protocol: smb, port: 445}
      severity: medium
      count: 1
    - what: with its domain behind it, and refused
      rows:
        - {authentication: {mechanism: ntlm, principal: museadmin@ward.example, version: NTLMv2, outcome: rejected, status: STATUS_LOGON_FAILURE}, protocol: smb, port: 445}
      severity: info
      count: 1
    - what: as a user of DICOM
      rows:
        - {authentication: {mechanism: dicom-username, principal: insite, outcome: unknown}, protocol: dicom, port: 104}
      severity: info
    - what: recorded, two makers' accounts
      capture: pcaps/smb/vendor_accounts.pcap
      severity: medium
  silent:
    - what: an account of the hospital's own
      rows:
        - {authentication: {mechanism: ntlm, principal: ct-export, realm: WARD, version: NTLMv2}, protocol: smb, port: 445}
    - what: a name that merely holds such a word
      rows:
        - {authentication: {mechanism: ntlm, principal: museadministration, realm: WARD, version: NTLMv2}, protocol: smb, port: 445}
    - what: no account but an AE title
      rows:
        - {authentication: {mechanism: ae-title, principal: INSITE, called_ae_title: ARCHIVE}, protocol: dicom, port: 104}
    - what: recorded, accounts of the hospital's own
      capture: pcaps/smb/two_devices.pcap
*/
SELECT device_id, identity_id, scope, mac, ip, NULL AS port, 'account ' || lower(regexp_replace(principal, '@[^@]*$', '')) AS subject,
    CASE outcome WHEN 'accepted' THEN 'medium' ELSE 'info' END AS severity,
    mechanism, principal, realm, outcome, peer_ip, port AS peer_port, first_ts, last_ts, capture, frame, community_id
FROM seen_authentication
WHERE identity_kind(mechanism) IN ('account', 'dicom-username') AND device_id IS NOT NULL
    AND lower(regexp_replace(principal, '@[^@]*$', '')) IN (SELECT word FROM vocabulary WHERE list = 'vendor_accounts')
