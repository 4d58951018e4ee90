/*
id: SMB-009
title: Whole disk opened through an administrative share
severity: medium
confidence: certain
why: >-
  A caller was given C$, ADMIN$ or another disk's share, which Windows opens to administrators only. So a program on the
  calling device logs on with an administrator's account of this one. Service tools do that, and so do intruders who move
  from machine to machine.
remedy: >-
  Ask who works on the device in this way. Give exports and service tools a share and an account of their own, let
  administrators come from management machines only, and switch administrative shares off on medical devices.
references:
  - MS-SMB2 2.2.10 (TREE_CONNECT response)
  - NIST SP 800-53r5 AC-6 (least privilege)
resolves: {seen: attribute, after_days: 7}
mappings:
  owasp_nhi: ["NHI5:2025"]
  nist_csf: [PR.AA-05]
  cwe: [269]
  attack: [T1021.002]
  hipaa: ["164.312(a)(1)"]
  iec_62443: [CR 2.1]
  fda: [AuthZ]
cases:
  fire:
    - what: the system disk
      rows:
        - {attribute: {smb.share: C$}, side: responder, protocol: smb, port: 445}
        - {attribute: {smb.share: c$}, side: responder, protocol: smb, port: 445, from: 10.0.0.12}
      count: 1
    - what: the system folder
      rows:
        - {attribute: {smb.share: ADMIN$}, side: responder, protocol: smb, port: 445}
      count: 1
    - what: recorded, a workstation opens a whole disk
      capture: pcaps/smb/administrative_share.pcap
      severity: medium
  silent:
    - what: it was refused
      rows:
        - {attribute: {smb.refused_share: C$}, side: responder, protocol: smb, port: 445}
    - what: hidden shares that are no disks
      rows:
        - {attribute: {smb.share: [IPC$, print$, dose$]}, side: responder, protocol: smb, port: 445}
    - what: an ordinary share
      rows:
        - {attribute: {smb.share: DOSE}, side: responder, protocol: smb, port: 445}
    - what: recorded, an ordinary share
      capture: pcaps/smb/smb311_ntlmv2.pcap
    - what: recorded, anonymous at IPC$
      capture: pcaps/smb/anonymous_ipc.pcap
*/
SELECT device_id, NULL AS identity_id, scope, mac, ip, port, 'share ' || upper(value) || ' on tcp/' || port AS subject,
    value AS share, peer_ip, first_ts, last_ts, capture, frame, community_id
FROM seen_attribute
WHERE name = 'smb.share' AND regexp_full_match(upper(value), '[A-Z]\$|ADMIN\$') AND device_id IS NOT NULL
