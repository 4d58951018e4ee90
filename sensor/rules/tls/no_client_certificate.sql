/*
id: MTLS-001
title: Clinical service lets anyone connect over TLS
severity: medium
confidence: probable
why: >-
  The service proves who it is but never asks who is calling. Any machine on the network can open an encrypted
  connection to it and speak to it as if it were a known device.
remedy: >-
  Make the service ask for client certificates, give each device one of its own, and let the service refuse the
  others (DICOM secure transport, IHE ATNA node authentication). The service is judged by its port: check that it is
  what the port says.
references:
  - DICOM PS3.15 B.1 to B.12
  - IHE ITI TF-2 ITI-19
  - RFC 5246 7.4.4
resolves: {seen: channel}
mappings:
  owasp_nhi: ["NHI4:2025"]
  nist_csf: [PR.AA-03]
  cwe: [306, 295]
  attack: [T1557]
  hipaa: ["164.312(d)"]
  iec_62443: [CR 1.2, CR 1.8]
  fda: [AuthN]
cases:
  fire:
    - what: DICOM over TLS, no certificate was asked for
      rows:
        - {channel: {client_certificate: not_requested, completed: true}, port: 2762}
      count: 1
    - what: recorded, DICOM over TLS, the server alone has a certificate
      capture: pcaps/dicom/tls12_server_only.pcap
  silent:
    - what: a certificate was asked for and shown
      rows:
        - {channel: {client_certificate: sent, client_authenticated: true}, port: 2762}
    - what: TLS 1.3 hides whether one was asked for
      rows:
        - {channel: {version: TLS 1.3, client_certificate: hidden}, port: 2762}
    - what: a resumed session does not ask again
      rows:
        - {channel: {resumed: true}, port: 2762}
    - what: a web page is not a clinical service
      rows:
        - {channel: {client_certificate: not_requested}, port: 443}
    - what: recorded, DICOM over TLS, both have certificates
      capture: pcaps/dicom/tls12_mutual.pcap
*/
SELECT device_id, NULL AS identity_id, scope, mac, ip, port,
    'no client certificate asked for on ' || transport || '/' || port AS subject,
    version, cipher, peer_ip, first_ts, last_ts, capture, frame, community_id
FROM seen_channel
WHERE json_extract_string(details, '$.client_certificate') = 'not_requested'
    AND json_extract_string(details, '$.resumed') IS DISTINCT FROM 'true'
    AND json_extract_string(details, '$.completed') IS DISTINCT FROM 'false'
    AND CAST(port AS VARCHAR) IN (SELECT word FROM vocabulary WHERE list = 'clinical_tls_ports')
    AND device_id IS NOT NULL
