/*
id: TLS-006
title: Handshake lacks protection against splicing
severity: low
confidence: certain
why: >-
  The server does not answer the client's offer of secure renegotiation; or it knows its clients by their
  certificates, but does not bind the session to the handshake (extended master secret). Someone on the path can
  join a connection of theirs with one of the device's.
remedy: >-
  Update the TLS library of the device that answers. Both extensions are part of every maintained one since 2015.
references:
  - RFC 5746
  - RFC 7627
resolves: {seen: channel}
mappings:
  owasp_nhi: ["NHI4:2025"]
  nist_csf: [PR.PS-02]
  cwe: [757]
  attack: [T1557]
  hipaa: ["164.312(e)(1)"]
  iec_62443: [CR 3.8]
  fda: [Crypto]
cases:
  fire:
    - what: secure renegotiation was offered and not answered
      rows:
        - channel: {renegotiation_info: false, completed: true}
      count: 1
    - what: clients are known by certificate, without extended master secret
      rows:
        - channel: {renegotiation_info: true, extended_master_secret: false, client_authenticated: true}
  silent:
    - what: both are there
      rows:
        - channel: {renegotiation_info: true, extended_master_secret: true, client_authenticated: true}
    - what: no client certificate, so extended master secret matters less
      rows:
        - channel: {renegotiation_info: true, extended_master_secret: false, client_authenticated: false}
    - what: TLS 1.3 has neither and needs neither
      rows:
        - channel: {version: TLS 1.3, certificates_hidden: true}
    - what: recorded, OpenSSL
      capture: pcaps/tls/tls12_ecdhe.pcap
*/
WITH agreed AS (
    SELECT *, json_extract_string(details, '$.renegotiation_info') AS renegotiation_info,
        json_extract_string(details, '$.extended_master_secret') AS extended_master_secret
    FROM seen_channel
    WHERE protocol IN ('tls', 'dtls') AND version NOT IN ('TLS 1.3', 'DTLS 1.3', 'SSL 2.0', 'SSL 3.0') AND device_id IS NOT NULL
        AND json_extract_string(details, '$.completed') IS DISTINCT FROM 'false'
)
SELECT device_id, NULL AS identity_id, scope, mac, ip, port,
    CASE WHEN renegotiation_info = 'false' THEN 'secure renegotiation' ELSE 'extended master secret' END
        || ' missing on ' || transport || '/' || port AS subject,
    version, cipher, renegotiation_info, extended_master_secret, peer_ip, first_ts, last_ts, capture, frame, community_id
FROM agreed
WHERE renegotiation_info = 'false' OR (extended_master_secret = 'false' AND client_authenticated)
