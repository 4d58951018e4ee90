/*
id: TLS-007
title: Clear text on a port that is meant for TLS
severity: medium
confidence: certain
why: >-
  The port is registered for encrypted traffic and firewalls and people take it for that, but what runs there is
  clear text and can be read by anyone on the path.
remedy: >-
  Switch TLS on in the service's configuration, or move the clear-text service to its own port, so that nobody takes
  it for protected.
references:
  - IANA service name and port number registry
resolves: {seen: conversation}
mappings:
  owasp_nhi: ["NHI4:2025"]
  nist_csf: [PR.DS-02]
  cwe: [319]
  attack: [T1040]
  hipaa: ["164.312(e)(1)"]
  iec_62443: [CR 4.1]
  fda: [Conf]
cases:
  fire:
    - what: DICOM without TLS on 2762
      rows:
        - {conversation: {}, protocol: dicom, port: 2762}
      count: 1
    - what: recorded, DICOM in clear text on 2762
      capture: pcaps/dicom/clear_on_tls_port.pcap
  silent:
    - what: TLS on 2762
      rows:
        - {conversation: {}, protocol: tls, port: 2762}
    - what: DICOM on its clear-text port
      rows:
        - {conversation: {}, protocol: dicom, port: 104}
    - what: nothing was understood, so it may well be encrypted
      rows:
        - {conversation: {confidence: port}, protocol: '', port: 8443}
    - what: recorded, DICOM over TLS on 2762
      capture: pcaps/dicom/tls12_mutual.pcap
*/
SELECT responder_id AS device_id, NULL AS identity_id, scope, responder_mac AS mac, responder_ip AS ip, port,
    protocol || ' on ' || transport || '/' || port AS subject,
    protocol, initiator_ip AS peer_ip, n AS conversations, first_ts, last_ts, capture, frame, community_id
FROM seen_conversation
WHERE confidence = 'confirmed' AND protocol NOT IN ('', 'tls', 'dtls', 'quic') AND transport = 'tcp'
    AND CAST(port AS VARCHAR) IN (SELECT word FROM vocabulary WHERE list = 'tls_only_ports')
    AND responder_id IS NOT NULL
