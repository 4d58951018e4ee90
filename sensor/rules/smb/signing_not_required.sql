/*
id: SMB-002
title: File server does not insist on signed messages
severity: medium
confidence: certain
why: >-
  The server accepts messages without a signature. Someone on the path who makes a device log on to them can pass the
  logon on to this server and act there as that device, or change files on their way.
remedy: >-
  Require signing on the server ("Microsoft network server: digitally sign communications (always)", or "server signing
  = mandatory"). Check first that every device that uses it can sign. Encrypting the sessions (SMB 3) does the same.
references:
  - MS-SMB2 2.2.4 (SecurityMode)
  - MS-CIFS 2.2.4.52.2
  - CIS Benchmarks, Microsoft network server
resolves: {seen: channel}
mappings:
  owasp_nhi: ["NHI4:2025"]
  nist_csf: [PR.AA-04]
  cwe: [924, 345]
  attack: [T1557.001]
  hipaa: ["164.312(e)(2)(i)"]
  iec_62443: [CR 3.1]
  fda: [Integ]
cases:
  fire:
    - what: signing is enabled and not required
      rows:
        - {channel: {version: SMB 3.1.1, encrypted: false, signed: enabled, client_signing: enabled}, protocol: smb, port: 445}
      severity: medium
      count: 1
    - what: an old server that cannot sign
      rows:
        - {channel: {version: SMB 1, encrypted: false, signed: none}, protocol: smb, port: 139}
      severity: medium
    - what: a domain controller, by the shares that only it has
      rows:
        - {channel: {version: SMB 2.1, encrypted: false, signed: enabled}, protocol: smb, port: 445}
        - {attribute: {smb.share: SYSVOL}, side: responder, protocol: smb, port: 445}
      severity: high
    - what: an image archive
      rows:
        - {channel: {version: SMB 2.1, encrypted: false, signed: enabled}, protocol: smb, port: 445}
        - {attribute: {dicom.operation_sop_class: C-STORE 1.2.840.10008.5.1.4.1.1.2}, protocol: dicom, port: 104}
        - {attribute: {dicom.operation_sop_class: C-FIND 1.2.840.10008.5.1.4.1.2.2.1}, protocol: dicom, port: 104, from: 10.0.0.30}
      severity: high
    - what: an ordinary share makes no domain controller
      rows:
        - {channel: {version: SMB 2.1, encrypted: false, signed: enabled}, protocol: smb, port: 445}
        - {attribute: {smb.share: DOSE}, side: responder, protocol: smb, port: 445}
      severity: medium
    - what: recorded, both could sign, neither insists
      capture: pcaps/smb/signing_enabled.pcap
      severity: medium
    - what: recorded, the client insists, the server does not
      capture: pcaps/smb/signing_required_client.pcap
    - what: recorded, SMB 1 that cannot sign
      capture: pcaps/smb/signing_off_smb1.pcap
  silent:
    - what: the server requires signing
      rows:
        - {channel: {version: SMB 3.1.1, encrypted: false, signed: required, client_signing: enabled}, protocol: smb, port: 445}
    - what: the session is encrypted, which signs it, too
      rows:
        - {channel: {version: SMB 3.1.1, cipher: AES-128-GCM, encrypted: true, signed: enabled}, protocol: smb, port: 445}
    - what: recorded, the server requires it
      capture: pcaps/smb/signing_required_server.pcap
    - what: recorded, SMB 1, the server requires it
      capture: pcaps/smb/signing_required_smb1.pcap
    - what: recorded, encrypted
      capture: pcaps/smb/encrypted_aes128gcm.pcap
    - what: recorded, a domain controller that requires it
      capture: pcaps/smb/kerberos_controller.pcap
*/
WITH controllers AS (
    SELECT DISTINCT device_id FROM seen_attribute WHERE name = 'smb.share' AND upper(value) IN ('SYSVOL', 'NETLOGON')
)
SELECT c.device_id, NULL AS identity_id, c.scope, c.mac, c.ip, c.port, 'signing not required on tcp/' || c.port AS subject,
    CASE WHEN k.device_id IS NOT NULL OR d.role = 'archive' THEN 'high' ELSE 'medium' END AS severity,
    c.version, c.signed AS server_signing, json_extract_string(c.details, '$.client_signing') AS client_signing,
    k.device_id IS NOT NULL AS domain_controller, d.role, c.peer_ip,
    c.first_ts, c.last_ts, c.capture, c.frame, c.community_id
FROM seen_channel AS c
JOIN device AS d ON d.device_id = c.device_id
LEFT JOIN controllers AS k ON k.device_id = c.device_id
WHERE c.protocol = 'smb' AND c.signed <> 'required' AND NOT c.encrypted
