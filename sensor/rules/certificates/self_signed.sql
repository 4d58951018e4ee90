/*
id: CERT-007
title: Service with a self-signed certificate
severity: medium
confidence: certain
why: >-
  The device vouches for itself. Whoever connects cannot tell it from an impostor, unless this very certificate was
  copied to them beforehand: ask before you raise an alarm.
remedy: >-
  Give the device a certificate of the hospital's own authority; or note where the certificate is pinned, and accept
  the finding until a date.
references:
  - RFC 5280 3.2
  - RFC 6125
resolves: {seen: certificate}
mappings:
  owasp_nhi: ["NHI4:2025"]
  nist_csf: [PR.AA-02, PR.AA-03]
  cwe: [295]
  attack: [T1557]
  hipaa: ["164.312(d)", "164.312(e)(1)"]
  iec_62443: [CR 1.8]
  fda: [AuthN]
cases:
  fire:
    - what: a self-signed server
      rows:
        - certificate: {self_signed: true, issuer: CN=ct1.hospital.example}
      count: 1
    - what: recorded, a self-signed server
      capture: pcaps/tls/cert_self_signed.pcap
  silent:
    - what: signed by an authority
      rows:
        - certificate: {self_signed: false}
    - what: a root in the chain is self-signed by nature
      rows:
        - certificate: {}
        - certificate: {role: ca, position: 1, self_signed: true, is_ca: true}
    - what: a client's certificate is pinned by the server that knows it
      rows:
        - {certificate: {role: client, self_signed: true}, side: initiator}
    - what: a server outside the hospital is not ours to mend
      rows:
        - {certificate: {self_signed: true}, to: 192.0.2.7}
    - what: recorded, an ordinary chain
      capture: pcaps/tls/cert_chain3.pcap
*/
SELECT device_id, identity_id, scope, mac, ip, port,
    'certificate ' || left(sha256, 16) AS subject,
    subject_name, serial, sha256, peer_ip, first_ts, last_ts, capture, frame, community_id
FROM seen_certificate
WHERE position = 0 AND role = 'server' AND self_signed AND internal AND device_id IS NOT NULL
