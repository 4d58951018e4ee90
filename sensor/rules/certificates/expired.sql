/*
id: CERT-001
title: Expired certificate in use
severity: high
confidence: certain
why: >-
  The device showed a certificate after its last day. If others still talk to it, they do not check certificates,
  and would talk to an impostor just as well; if they do check, the connection fails.
remedy: >-
  Have the certificate issued anew, and switch certificate checking on at the devices that connected all the same.
references:
  - RFC 5280 4.1.2.5
resolves: {seen: certificate}
mappings:
  owasp_nhi: ["NHI7:2025", "NHI1:2025"]
  nist_csf: [PR.AA-01, PR.AA-03]
  cwe: [298, 324]
  attack: [T1557, T1649]
  hipaa: ["164.312(d)", "164.312(e)(1)"]
  iec_62443: [CR 1.8]
  fda: [AuthN]
cases:
  fire:
    - what: shown two days after its end
      rows:
        - certificate: {not_after: -2d}
      count: 1
    - what: a client's certificate ended while in use
      rows:
        - {certificate: {role: client, not_after: +1d}, side: initiator, until: +2d}
    - what: recorded, an expired certificate
      capture: pcaps/tls/cert_expired.pcap
  silent:
    - what: shown before its end
      rows:
        - certificate: {not_after: +1d}
    - what: now it is over, but nobody has shown it since
      rows:
        - certificate: {not_after: +1d}
      now: +30d
    - what: an authority's certificate in the chain is not the device's
      rows:
        - certificate: {role: ca, position: 1, not_after: -2d}
    - what: recorded, an ordinary chain
      capture: pcaps/tls/cert_chain3.pcap
*/
SELECT device_id, identity_id, scope, mac, ip, port,
    'certificate ' || left(sha256, 16) AS subject,
    role, subject_name, issuer, serial, sha256, not_after, peer_ip,
    greatest(first_ts, not_after) AS first_ts, last_ts, capture, frame, community_id
FROM seen_certificate
WHERE position = 0 AND last_ts > not_after AND device_id IS NOT NULL
