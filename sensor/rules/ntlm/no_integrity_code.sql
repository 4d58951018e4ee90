/*
id: NTLM-003
title: Logon can be passed on to another server
severity: medium
confidence: probable
why: >-
  The device's NTLMv2 message has no integrity code, so nobody notices when someone on the path strikes out what it asks
  for; and the server that it was meant for accepts unsigned messages. Together this lets an attacker who makes the
  device connect to him log on as the device somewhere else.
remedy: >-
  Require signing at the server (SMB-002): that alone ends it. Update the device's SMB client to one that sends the code
  (Windows does since Vista).
references:
  - MS-NLMP 2.2.2.1 (MsvAvFlags 0x2)
  - MS-NLMP 3.1.5.1.2 (MIC)
resolves: {seen: authentication}
mappings:
  owasp_nhi: ["NHI4:2025"]
  nist_csf: [PR.AA-04]
  cwe: [294, 924]
  attack: [T1557.001, T1187]
  hipaa: ["164.312(d)"]
  iec_62443: [CR 3.1]
  fda: [AuthN]
cases:
  fire:
    - what: no code, and the server does not require signing
      rows:
        - {channel: {version: SMB 2.1, encrypted: false, signed: enabled}, protocol: smb, port: 445}
        - {authentication: {mechanism: ntlm, principal: ct, realm: WARD, version: NTLMv2, mic: false}, protocol: smb, port: 445}
      count: 1
    - what: refused there, but it was sent
      rows:
        - {channel: {version: SMB 1, encrypted: false, signed: none}, protocol: smb, port: 139}
        - {authentication: {mechanism: ntlm, principal: ct, realm: WARD, version: NTLMv2, mic: false, outcome: rejected}, protocol: smb, port: 139}
      count: 1
    - what: recorded, SMB 1 without extended security
      capture: pcaps/smb/smb1_ntlmv2_no_spnego.pcap
    - what: recorded, a library's client
      capture: pcaps/smb/impacket_smb21.pcap
  silent:
    - what: with the code
      rows:
        - {channel: {version: SMB 2.1, encrypted: false, signed: enabled}, protocol: smb, port: 445}
        - {authentication: {mechanism: ntlm, principal: ct, realm: WARD, version: NTLMv2, mic: true}, protocol: smb, port: 445}
    - what: the server requires signing
      rows:
        - {channel: {version: SMB 2.1, encrypted: false, signed: required}, protocol: smb, port: 445}
        - {authentication: {mechanism: ntlm, principal: ct, realm: WARD, version: NTLMv2, mic: false}, protocol: smb, port: 445}
    - what: the session is encrypted
      rows:
        - {channel: {version: SMB 3.1.1, cipher: AES-128-GCM, encrypted: true, signed: enabled}, protocol: smb, port: 445}
        - {authentication: {mechanism: ntlm, principal: ct, realm: WARD, version: NTLMv2, mic: false}, protocol: smb, port: 445}
    - what: the unsigned server is another one
      rows:
        - {channel: {version: SMB 2.1, encrypted: false, signed: enabled}, protocol: smb, port: 445, to: 10.0.0.3}
        - {authentication: {mechanism: ntlm, principal: ct, realm: WARD, version: NTLMv2, mic: false}, protocol: smb, port: 445}
    - what: whether there was a code is not known
      rows:
        - {channel: {version: SMB 2.1, encrypted: false, signed: enabled}, protocol: smb, port: 445}
        - {authentication: {mechanism: ntlm, principal: ct, realm: WARD, version: NTLMv2}, protocol: smb, port: 445}
    - what: the unsigned sessions were another device's, on another port, or on another day
      rows:
        - {channel: {version: SMB 2.1, encrypted: false, signed: enabled}, protocol: smb, port: 445, from: 10.0.0.12}
        - {channel: {version: SMB 1, encrypted: false, signed: enabled}, protocol: smb, port: 139}
        - {channel: {version: SMB 2.1, encrypted: false, signed: enabled}, protocol: smb, port: 445, at: -2d}
        - {authentication: {mechanism: ntlm, principal: ct, realm: WARD, version: NTLMv2, mic: false}, protocol: smb, port: 445}
    - what: recorded, the code is there
      capture: pcaps/smb/smb21_ntlmv2.pcap
    - what: recorded, signing is required
      capture: pcaps/smb/signing_required.pcap
    - what: recorded, the same client, encrypted
      capture: pcaps/smb/impacket_smb311.pcap
*/
WITH unsigned AS (
    SELECT scope, ip, peer_ip, port, day, min(version) AS version, min(signed) AS signed
    FROM seen_channel
    WHERE protocol = 'smb' AND signed <> 'required' AND NOT encrypted
    GROUP BY scope, ip, peer_ip, port, day
)
SELECT a.device_id, NULL AS identity_id, a.scope, a.mac, a.ip, NULL AS port, 'NTLMv2 without integrity code' AS subject,
    a.principal, a.realm, a.outcome, u.version, u.signed AS server_signing, a.peer_ip, a.port AS peer_port,
    a.first_ts, a.last_ts, a.capture, a.frame, a.community_id
FROM seen_authentication AS a
JOIN unsigned AS u ON u.scope = a.scope AND u.ip = a.peer_ip AND u.peer_ip = a.ip AND u.port = a.port AND u.day = a.day
WHERE a.mechanism = 'ntlm' AND json_extract_string(a.details, '$.version') = 'NTLMv2'
    AND json_extract_string(a.details, '$.mic') = 'false' AND a.device_id IS NOT NULL
