/*
id: VRA-002
title: Administration port answers a public address
severity: high
confidence: certain
why: >-
  A machine on the internet, or in a network that the site file does not know, reached this device on a port for
  administration, remote control or file sharing, and the device answered. Everyone else on the internet may be able to.
  Whether the caller was let in is not said here.
remedy: >-
  Close the port at the firewall. Let the maker's service come in through a VPN or a privileged access gateway, for the
  time of the visit only. If the address belongs to the hospital or a partner, enter it in the site file. A public web
  server in a zone of its own is meant to answer: accept that finding.
references:
  - NIST SP 800-46r2 (remote access)
  - IEC 62443-4-2 NDR 1.13
resolves: {seen: traffic, after_days: 7}
mappings:
  owasp_nhi: ["NHI3:2025"]
  nist_csf: [PR.IR-01]
  cwe: [284]
  attack: [T1133]
  hipaa: ["164.312(d)"]
  iec_62443: [NDR 1.13]
  fda: [AuthN]
cases:
  fire:
    - what: remote desktop, not understood
      rows:
        - {conversation: {confidence: port, initiator_bytes: 900, responder_bytes: 1400}, protocol: '', port: 3389, from: 192.0.2.7}
      severity: high
      count: 1
    - what: file sharing
      rows:
        - {conversation: {initiator_bytes: 900, responder_bytes: 1400}, protocol: smb, port: 445, from: 192.0.2.7}
        - {conversation: {initiator_bytes: 900, responder_bytes: 1400}, protocol: smb, port: 445, from: 198.51.100.9}
      severity: high
      count: 1
    - what: a web page
      rows:
        - {conversation: {initiator_bytes: 900, responder_bytes: 1400}, protocol: tls, port: 443, from: 192.0.2.7}
      severity: medium
      count: 1
    - what: recorded, a reading service at the file server
      capture: pcaps/smb/from_outside.pcap
      severity: high
  silent:
    - what: from within the hospital
      rows:
        - {conversation: {initiator_bytes: 900, responder_bytes: 1400}, protocol: smb, port: 445}
    - what: nobody answered
      rows:
        - {conversation: {initiator_bytes: 0, responder_bytes: 0, one_sided_count: 1, unanswered_count: 1, confidence: port}, protocol: '', port: 3389, from: 192.0.2.7}
    - what: outward
      rows:
        - {conversation: {initiator_bytes: 900, responder_bytes: 1400}, protocol: tls, port: 443, to: 192.0.2.7}
    - what: its beginning was not seen, so who called whom is a guess
      rows:
        - {conversation: {initiator_bytes: 900, responder_bytes: 1400, midstream_count: 1}, protocol: tls, port: 443, from: 192.0.2.7}
    - what: another port
      rows:
        - {conversation: {initiator_bytes: 900, responder_bytes: 1400, confidence: port}, protocol: '', port: 51820, from: 192.0.2.7}
    - what: two machines outside
      rows:
        - {conversation: {initiator_bytes: 900, responder_bytes: 1400}, protocol: smb, port: 445, from: 198.51.100.9, to: 192.0.2.7}
    - what: recorded, a sender outside on a port for messages
      capture: pcaps/hl7/outside.pcap
    - what: recorded, a CT at a server outside
      capture: pcaps/smb/to_outside.pcap
*/
WITH service(port, name) AS (
    VALUES (22, 'SSH'), (23, 'Telnet'), (80, 'HTTP'), (139, 'SMB'), (443, 'HTTPS'), (445, 'SMB'), (3389, 'RDP'), (5800, 'VNC'),
        (5900, 'VNC'), (5938, 'TeamViewer'), (7070, 'AnyDesk')
)
SELECT c.responder_id AS device_id, NULL AS identity_id, c.scope, c.responder_mac AS mac, c.responder_ip AS ip, c.port,
    s.name || ' (tcp/' || c.port || ') from outside' AS subject,
    CASE WHEN c.port IN (80, 443) THEN 'medium' ELSE 'high' END AS severity,
    c.protocol, c.initiator_ip AS peer_ip, c.n AS conversations, c.initiator_bytes, c.responder_bytes,
    c.first_ts, c.last_ts, c.capture, c.frame, c.community_id
FROM seen_conversation AS c
JOIN service AS s ON s.port = c.port
WHERE c.transport = 'tcp' AND NOT c.initiator_internal AND c.responder_internal AND c.responder_id IS NOT NULL
    AND c.responder_bytes > 0 AND c.midstream_count < c.n
