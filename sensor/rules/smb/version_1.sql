/*
id: SMB-001
title: File sharing with SMB 1
severity: high
confidence: certain
why: >-
  Both sides agreed on SMB 1, a protocol of the 1980s. It has no defence against tampering and downgrading, its
  implementations have holes through which whole hospitals were encrypted (WannaCry), and Microsoft no longer ships it.
remedy: >-
  Switch SMB 1 off on the server, and on the device after an update. Where a device can do nothing else, let only its
  one server speak SMB 1 with it, and keep both in a segment of their own.
references:
  - MS-CIFS 1.1
  - MS-SMB2 1.7 (versioning)
  - Microsoft security bulletin MS17-010
resolves: {seen: channel}
mappings:
  owasp_nhi: ["NHI4:2025"]
  nist_csf: [PR.PS-02, PR.DS-02]
  cwe: [1104, 327]
  attack: [T1210, T1021.002]
  hipaa: ["164.312(e)(1)"]
  iec_62443: [CR 7.7]
  fda: [Updt]
cases:
  fire:
    - what: a session over SMB 1
      rows:
        - {channel: {version: SMB 1, encrypted: false, signed: enabled, dialect: NT LM 0.12}, protocol: smb, port: 445}
        - {authentication: {mechanism: ntlm, principal: ct, realm: WARD, version: NTLMv2}, protocol: smb, port: 445}
      severity: high
      count: 1
    - what: the server chose it, and no session was seen
      rows:
        - {channel: {version: SMB 1, encrypted: false, signed: none, dialect: NT LM 0.12}, protocol: smb, port: 139}
      severity: medium
      count: 1
    - what: sessions of other devices, on other ports and days
      rows:
        - {channel: {version: SMB 1, encrypted: false, signed: none}, protocol: smb, port: 445}
        - {authentication: {mechanism: ntlm, principal: ct, realm: WARD, version: NTLMv2}, protocol: smb, port: 445, from: 10.0.0.12}
        - {authentication: {mechanism: ntlm, principal: ct, realm: WARD, version: NTLMv2}, protocol: smb, port: 139}
        - {authentication: {mechanism: ntlm, principal: ct, realm: WARD, version: NTLMv2}, protocol: smb, port: 445, at: +2d}
      severity: medium
    - what: recorded, SMB 1 with NTLMv2
      capture: pcaps/smb/smb1_ntlmv2.pcap
      severity: high
    - what: recorded, on port 139
      capture: pcaps/smb/netbios_session_smb1.pcap
      severity: high
    - what: recorded, nobody was let in
      capture: pcaps/smb/smb1_wrong_password.pcap
      severity: medium
  silent:
    - what: offered by the client, and the server chose SMB 2
      rows:
        - {attribute: {smb.offered_dialect: [NT LM 0.12, SMB 2.002, SMB 2.???]}, protocol: smb, port: 445}
        - {channel: {version: SMB 2.1, encrypted: false, signed: required}, protocol: smb, port: 445}
    - what: SMB 3.1.1
      rows:
        - {channel: {version: SMB 3.1.1, encrypted: false, signed: required}, protocol: smb, port: 445}
    - what: recorded, Samba as it comes
      capture: pcaps/smb/smb311_ntlmv2.pcap
    - what: recorded, SMB 1 was offered, SMB 2 chosen
      capture: pcaps/smb/negotiate_wildcard.pcap
    - what: recorded, a server that refuses SMB 1
      capture: pcaps/smb/negotiate_refused.pcap
*/
WITH sessions AS (
    SELECT DISTINCT peer_id AS device_id, device_id AS client_id, port, day
    FROM seen_authentication
    WHERE protocol = 'smb' AND outcome = 'accepted'
)
SELECT c.device_id, NULL AS identity_id, c.scope, c.mac, c.ip, c.port, 'SMB 1 on tcp/' || c.port AS subject,
    CASE WHEN s.device_id IS NULL THEN 'medium' ELSE 'high' END AS severity,
    json_extract_string(c.details, '$.dialect') AS dialect, s.device_id IS NOT NULL AS session_accepted, c.signed, c.peer_ip,
    c.first_ts, c.last_ts, c.capture, c.frame, c.community_id
FROM seen_channel AS c
LEFT JOIN sessions AS s ON s.device_id = c.device_id AND s.client_id = c.peer_id AND s.port = c.port AND s.day = c.day
WHERE c.protocol = 'smb' AND c.version = 'SMB 1' AND c.device_id IS NOT NULL
