/*
id: SMB-004
title: Share is open to callers without an account
severity: medium
confidence: certain
why: >-
  A caller without an account, or one that the server took for a guest, was given a share with files. What lies there
  can be read by anyone on the network, and perhaps changed: exports, reports, or what devices load at their start.
remedy: >-
  Take guests and anonymous callers out of the share's permissions, and give the devices that need it an account of
  their own each.
references:
  - MS-SMB2 2.2.6 (SessionFlags)
  - MS-SMB2 2.2.10 (TREE_CONNECT response)
resolves: {seen: attribute}
mappings:
  owasp_nhi: ["NHI4:2025"]
  nist_csf: [PR.AA-05]
  cwe: [306]
  attack: [T1018]
  hipaa: ["164.312(d)"]
  iec_62443: [CR 1.1]
  fda: [AuthN]
cases:
  fire:
    - what: a share with files
      rows:
        - {attribute: {smb.anonymous_share: dose}, side: responder, protocol: smb, port: 445}
        - {attribute: {smb.anonymous_share: DOSE}, side: responder, protocol: smb, port: 445, from: 10.0.0.12}
      severity: medium
      count: 1
    - what: a whole disk
      rows:
        - {attribute: {smb.anonymous_share: C$}, side: responder, protocol: smb, port: 445}
      severity: high
    - what: recorded, anonymous at a share with files
      capture: pcaps/smb/anonymous_share.pcap
      severity: medium
    - what: recorded, the same over SMB 1
      capture: pcaps/smb/anonymous_share_smb1.pcap
    - what: recorded, a guest at a share with files
      capture: pcaps/smb/guest.pcap
  silent:
    - what: the pipe share, which old hosts open to everybody
      rows:
        - {attribute: {smb.anonymous_share: IPC$}, side: responder, protocol: smb, port: 445}
    - what: an account was needed
      rows:
        - {attribute: {smb.share: dose}, side: responder, protocol: smb, port: 445}
    - what: the share was refused
      rows:
        - {attribute: {smb.refused_share: dose}, side: responder, protocol: smb, port: 445}
    - what: recorded, anonymous at IPC$
      capture: pcaps/smb/anonymous_ipc.pcap
    - what: recorded, anonymous, and refused
      capture: pcaps/smb/anonymous_refused.pcap
    - what: recorded, the share was refused
      capture: pcaps/smb/share_refused.pcap
*/
SELECT device_id, NULL AS identity_id, scope, mac, ip, port, 'share ' || upper(value) || ' on tcp/' || port AS subject,
    CASE WHEN regexp_full_match(upper(value), '[A-Z]\$|ADMIN\$') THEN 'high' ELSE 'medium' END AS severity,
    value AS share, peer_ip, first_ts, last_ts, capture, frame, community_id
FROM seen_attribute
WHERE name = 'smb.anonymous_share' AND upper(value) <> 'IPC$' AND device_id IS NOT NULL
