/*
id: CERT-010
title: Default or test certificate in use
severity: medium
confidence: probable
why: >-
  The certificate's names are those of an example, a test or a fresh installation. Its private key may come with the
  software and be known to everybody who has it.
remedy: >-
  Replace it by a certificate of the hospital's own authority, made for this device.
references:
  - CWE-1394
  - RFC 6125 6.4
resolves: {seen: certificate}
mappings:
  owasp_nhi: ["NHI4:2025", "NHI9:2025"]
  nist_csf: [PR.AA-02]
  cwe: [1394, 1188]
  attack: [T1557]
  hipaa: ["164.312(d)"]
  iec_62443: [CR 1.8]
  fda: [AuthN]
cases:
  fire:
    - what: localhost
      rows:
        - certificate: {common_name: localhost}
      count: 1
    - what: the organisation that OpenSSL fills in
      rows:
        - certificate: {organization: Internet Widgits Pty Ltd, common_name: pacs}
    - what: a name without dots under .localdomain
      rows:
        - certificate: {common_name: localhost.localdomain}
    - what: recorded, the certificate that an installation makes
      capture: pcaps/tls/cert_snakeoil.pcap
  silent:
    - what: an ordinary name
      rows:
        - certificate: {common_name: ct1.hospital.example, organization: Example Hospital}
    - what: a name that merely holds such a word
      rows:
        - certificate: {common_name: testing-lab.hospital.example}
    - what: a server outside the hospital
      rows:
        - {certificate: {common_name: localhost}, to: 192.0.2.7}
    - what: recorded, an ordinary name in other letters
      capture: pcaps/tls/cert_unicode.pcap
*/
SELECT device_id, identity_id, scope, mac, ip, port,
    'certificate ' || left(sha256, 16) AS subject,
    role, common_name, organization, issuer, serial, sha256, peer_ip, first_ts, last_ts, capture, frame, community_id
FROM seen_certificate
WHERE position = 0 AND device_id IS NOT NULL AND internal
    AND (lower(common_name) IN (SELECT word FROM vocabulary WHERE list = 'default_certificate_names')
        OR lower(organization) IN (SELECT word FROM vocabulary WHERE list = 'default_certificate_names'))
