/*
id: TLS-001
title: Connection protected by an outdated TLS version
severity: medium
confidence: certain
why: >-
  SSL 2.0, SSL 3.0, TLS 1.0 and TLS 1.1 have known attacks and were withdrawn. Someone on the path between the two
  devices may be able to read or change clinical data and logins.
remedy: >-
  Enable TLS 1.2 or 1.3 on the device that answers; ask its maker for an update. Where there is none, put a TLS
  proxy in front of it and keep it in a segment of its own.
references:
  - RFC 8996 (TLS 1.0 and 1.1 are deprecated)
  - RFC 7568 (SSL 3.0 is deprecated)
  - RFC 6176 (SSL 2.0 is prohibited)
resolves: {seen: channel}
mappings:
  owasp_nhi: ["NHI4:2025"]
  nist_csf: [PR.DS-02]
  cwe: [327, 326]
  attack: [T1557, T1600]
  hipaa: ["164.312(e)(1)", "164.312(e)(2)(ii)"]
  iec_62443: [CR 4.3]
  fda: [Crypto]
cases:
  fire:
    - what: TLS 1.0 was agreed
      rows:
        - channel: {version: TLS 1.0, completed: true}
      severity: medium
      count: 1
    - what: SSL 3.0 was agreed
      rows:
        - channel: SSL 3.0
      severity: high
    - what: DTLS 1.0 was agreed
      rows:
        - {channel: DTLS 1.0, protocol: dtls, transport: udp}
    - what: recorded, OpenSSL on TLS 1.0
      capture: pcaps/tls/tls10_rsa.pcap
  silent:
    - what: TLS 1.2 was agreed
      rows:
        - channel: TLS 1.2
    - what: the client refused TLS 1.0
      rows:
        - channel: {version: TLS 1.0, completed: false, alert: protocol_version}
    - what: recorded, OpenSSL on TLS 1.3
      capture: pcaps/tls/tls13.pcap
*/
SELECT device_id, NULL AS identity_id, scope, mac, ip, port,
    version || ' on ' || transport || '/' || port AS subject,
    CASE WHEN version LIKE 'SSL%' THEN 'high' ELSE 'medium' END AS severity,
    version, cipher, peer_ip, first_ts, last_ts, capture, frame, community_id
FROM seen_channel
WHERE version IN ('SSL 2.0', 'SSL 3.0', 'TLS 1.0', 'TLS 1.1', 'DTLS 1.0')
    AND device_id IS NOT NULL
    AND json_extract_string(details, '$.completed') IS DISTINCT FROM 'false'
