/*
id: MTLS-002
title: Service asks for a client certificate but does not insist
severity: medium
confidence: certain
why: >-
  The service asked the caller for a certificate, got none, and carried on. So it looks protected by certificates,
  but anyone may connect without one.
remedy: >-
  Set client certificates to required in the service's TLS configuration, after every legitimate caller has one.
references:
  - RFC 5246 7.4.6
  - DICOM PS3.15 B.1
resolves: {seen: channel}
mappings:
  owasp_nhi: ["NHI4:2025"]
  nist_csf: [PR.AA-03]
  cwe: [287]
  hipaa: ["164.312(d)"]
  iec_62443: [CR 1.2]
  fda: [AuthN]
cases:
  fire:
    - what: an empty certificate message and a finished handshake
      rows:
        - channel: {client_certificate: empty, client_authenticated: false, completed: true}
      count: 1
    - what: recorded, an empty certificate message is good enough
      capture: pcaps/tls/tls12_mutual_empty.pcap
  silent:
    - what: an empty certificate message, and the server hung up
      rows:
        - channel: {client_certificate: empty, completed: false, alert: handshake_failure}
    - what: a certificate was shown
      rows:
        - channel: {client_certificate: sent, client_authenticated: true, completed: true}
    - what: recorded, a server that asks for nothing
      capture: pcaps/tls/tls12_ecdhe.pcap
    - what: recorded, an empty certificate message is refused
      capture: pcaps/tls/tls12_mutual_missing.pcap
*/
SELECT device_id, NULL AS identity_id, scope, mac, ip, port,
    'client certificate optional on ' || transport || '/' || port AS subject,
    version, cipher, peer_ip, first_ts, last_ts, capture, frame, community_id
FROM seen_channel
WHERE json_extract_string(details, '$.client_certificate') = 'empty'
    AND json_extract_string(details, '$.completed') = 'true'
    AND json_extract_string(details, '$.encrypted_alert_by') IS NULL
    AND device_id IS NOT NULL
