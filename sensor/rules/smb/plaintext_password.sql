/*
id: SMB-005
title: File server asks for passwords in plain text
severity: critical
confidence: certain
why: >-
  The server says that it wants passwords unencrypted, and a device that obeys sends its password readable over the
  network. Whoever records one connection can use the account from then on.
remedy: >-
  Switch encrypted passwords on at the server and plaintext passwords off on every device. Change every password that
  crossed the network, here and wherever else it is used.
references:
  - MS-CIFS 2.2.4.52.2 (SecurityMode, NEGOTIATE_ENCRYPT_PASSWORDS)
  - MS-CIFS 3.2.4.2.4
resolves: {seen: channel}
mappings:
  owasp_nhi: ["NHI2:2025", "NHI4:2025"]
  nist_csf: [PR.DS-02]
  cwe: [319, 522]
  attack: [T1040]
  hipaa: ["164.312(d)", "164.312(e)(2)(ii)"]
  iec_62443: [CR 1.5]
  fda: [AuthN]
cases:
  fire:
    - what: a password was sent
      rows:
        - {authentication: {mechanism: smb-plaintext, principal: ct, realm: WARD, secret_class: other, secret_length: 8-11, secret_digest: aa11}, protocol: smb, port: 139}
      severity: critical
      count: 1
    - what: the password of a share was sent
      rows:
        - {authentication: {mechanism: smb-share-password, secret_class: short, share: DOSE}, protocol: smb, port: 139}
      severity: critical
      count: 1
    - what: the server asks for it, and nobody was seen to obey
      rows:
        - {channel: {version: SMB 1, encrypted: false, signed: none, encrypt_passwords: false, security: user}, protocol: smb, port: 139}
      severity: high
      count: 1
    - what: recorded, asked for, sent and refused
      capture: pcaps/smb/smb1_plaintext_refused.pcap
    - what: recorded, asked for, sent and accepted
      capture: pcaps/smb/smb1_plaintext.pcap
    - what: recorded, a share's password in clear
      capture: pcaps/smb/smb1_share_level_plaintext.pcap
  silent:
    - what: a challenge and its response
      rows:
        - {channel: {version: SMB 1, encrypted: false, signed: enabled, security: user}, protocol: smb, port: 139}
        - {authentication: {mechanism: ntlm, principal: ct, realm: WARD, version: NTLMv2}, protocol: smb, port: 139}
    - what: the server says that passwords are encrypted
      rows:
        - {channel: {version: SMB 1, encrypted: false, signed: enabled, encrypt_passwords: true}, protocol: smb, port: 139}
    - what: a share's password, not in plain text
      rows:
        - {authentication: {mechanism: smb-share-password, share: DOSE}, protocol: smb, port: 139}
    - what: an anonymous caller has no password
      rows:
        - {authentication: {mechanism: smb-plaintext, secret_class: empty, "null": true}, protocol: smb, port: 139}
    - what: recorded, SMB 1 with NTLMv2
      capture: pcaps/smb/smb1_ntlmv2.pcap
    - what: recorded, an LM response is no password
      capture: pcaps/smb/smb1_lanman1.pcap
    - what: recorded, a share's password by challenge
      capture: pcaps/smb/smb1_share_level.pcap
*/
SELECT device_id, NULL AS identity_id, scope, mac, ip, port, 'asks for plaintext passwords on tcp/' || port AS subject,
    'high' AS severity, version AS mechanism, NULL AS secret_class, NULL AS outcome, peer_ip,
    first_ts, last_ts, capture, frame, community_id
FROM seen_channel
WHERE protocol = 'smb' AND json_extract_string(details, '$.encrypt_passwords') = 'false' AND device_id IS NOT NULL
UNION ALL
SELECT peer_id, identity_id, scope, peer_mac, peer_ip, port,
    'plaintext password of ' || coalesce(lower(principal), 'share ' || upper(json_extract_string(details, '$.share')), 'an unnamed account')
        || ' on tcp/' || port,
    'critical', mechanism, secret_class, outcome, ip, first_ts, last_ts, capture, frame, community_id
FROM seen_authentication
WHERE mechanism IN ('smb-plaintext', 'smb-share-password') AND secret_class <> 'empty' AND protection <> 'tls' AND peer_id IS NOT NULL
