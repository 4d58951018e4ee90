/*
id: ID-011
title: One secret behind several accounts
severity: medium
confidence: certain
why: >-
  Different accounts or applications prove themselves with the same password. Whoever learns it from the weakest of them,
  or reads it where it crosses the network in clear text, has all the others as well.
remedy: >-
  Give each account a secret of its own, beginning with those that are used over an unencrypted protocol. Where it is a
  code and no secret (some sites use MSH-8 so), accept the finding with that reason.
references:
  - OWASP NHI9:2025 (NHI reuse)
  - NIST SP 800-53r5 IA-5
resolves: {seen: authentication}
mappings:
  owasp_nhi: ["NHI9:2025"]
  nist_csf: [PR.AA-01]
  cwe: [1391]
  attack: [T1078]
  hipaa: ["164.312(a)(2)(i)", "164.312(d)"]
  iec_62443: [CR 1.5]
  fda: [AuthN]
cases:
  fire:
    - what: two users of DICOM
      rows:
        - {authentication: {mechanism: dicom-username-passcode, principal: ct, secret_class: other, secret_digest: aa11, key_epoch: 1}, protocol: dicom, port: 104}
        - {authentication: {mechanism: dicom-username-passcode, principal: mr, secret_class: other, secret_digest: aa11, key_epoch: 1}, protocol: dicom, port: 104}
      severity: medium
      count: 2
    - what: a file server's account, a user of DICOM and an HL7 application
      rows:
        - {authentication: {mechanism: smb-plaintext, principal: export, realm: WARD, secret_class: other, secret_digest: aa11, key_epoch: 1}, protocol: smb, port: 139}
        - {authentication: {mechanism: dicom-username-passcode, principal: export, secret_class: other, secret_digest: aa11, key_epoch: 1}, protocol: dicom, port: 104}
        - {authentication: {mechanism: hl7-security, principal: LAB, realm: NORTH, secret_class: other, secret_digest: aa11, key_epoch: 1}, protocol: hl7, port: 2575}
      severity: high
      count: 3
    - what: a share's password and a user's
      rows:
        - {authentication: {mechanism: smb-share-password, share: DOSE, secret_class: other, secret_digest: aa11, key_epoch: 1}, protocol: smb, port: 139}
        - {authentication: {mechanism: smb-plaintext, principal: export, realm: WARD, secret_class: other, secret_digest: aa11, key_epoch: 1}, protocol: smb, port: 139}
      count: 2
    - what: shared before the site key was rotated, not compared after it
      rows:
        - {authentication: {mechanism: dicom-username-passcode, principal: ct, secret_class: other, secret_digest: aa11, key_epoch: 1}, protocol: dicom, port: 104}
        - {authentication: {mechanism: dicom-username-passcode, principal: mr, secret_class: other, secret_digest: aa11, key_epoch: 1}, protocol: dicom, port: 104}
        - {authentication: {mechanism: dicom-username-passcode, principal: xr, secret_class: other, secret_digest: aa11, key_epoch: 2}, protocol: dicom, port: 104}
      count: 2
    - what: recorded, two applications, one password in MSH-8
      capture: pcaps/hl7/security_shared.pcap
      severity: medium
  silent:
    - what: one account from two devices
      rows:
        - {authentication: {mechanism: smb-plaintext, principal: export, realm: WARD, secret_class: other, secret_digest: aa11, key_epoch: 1}, protocol: smb, port: 139, from: 10.0.0.11}
        - {authentication: {mechanism: smb-plaintext, principal: EXPORT, realm: ward, secret_class: other, secret_digest: aa11, key_epoch: 1}, protocol: smb, port: 139, from: 10.0.0.12}
    - what: two accounts, two secrets
      rows:
        - {authentication: {mechanism: dicom-username-passcode, principal: ct, secret_class: other, secret_digest: aa11, key_epoch: 1}, protocol: dicom, port: 104}
        - {authentication: {mechanism: dicom-username-passcode, principal: mr, secret_class: other, secret_digest: bb22, key_epoch: 1}, protocol: dicom, port: 104}
    - what: digests of two site keys
      rows:
        - {authentication: {mechanism: dicom-username-passcode, principal: ct, secret_class: other, secret_digest: aa11, key_epoch: 1}, protocol: dicom, port: 104}
        - {authentication: {mechanism: dicom-username-passcode, principal: mr, secret_class: other, secret_digest: aa11, key_epoch: 2}, protocol: dicom, port: 104}
    - what: a well-known default is another finding
      rows:
        - {authentication: {mechanism: dicom-username-passcode, principal: ct, secret_class: default, secret_digest: aa11, key_epoch: 1}, protocol: dicom, port: 104}
        - {authentication: {mechanism: dicom-username-passcode, principal: mr, secret_class: default, secret_digest: aa11, key_epoch: 1}, protocol: dicom, port: 104}
    - what: a guess that was refused
      rows:
        - {authentication: {mechanism: smb-plaintext, principal: export, realm: WARD, secret_class: other, secret_digest: aa11, key_epoch: 1}, protocol: smb, port: 139}
        - {authentication: {mechanism: smb-plaintext, principal: backup, realm: WARD, outcome: rejected, secret_class: other, secret_digest: aa11, key_epoch: 1}, protocol: smb, port: 139}
    - what: recorded, one password, one application
      capture: pcaps/hl7/security.pcap
    - what: recorded, one user of DICOM
      capture: pcaps/dicom/user_identity_2.pcap
*/
WITH proven AS (
    SELECT *, coalesce(identity_id, device_id || ' ' || mechanism) AS holder,
        coalesce(lower(principal), 'nobody in particular') || ' (' || protocol || ')' AS named
    FROM seen_authentication
    WHERE secret_digest IS NOT NULL AND secret_class IN ('other', 'short') AND outcome <> 'rejected' AND device_id IS NOT NULL
), holders AS (
    SELECT secret_digest, key_epoch, holder, any_value(identity_id) AS identity_id, min(device_id) AS device_id, min(scope) AS scope,
        min(mac) AS mac, min(ip) AS ip, min(named) AS named, list(DISTINCT protocol) AS protocols,
        min(first_ts) AS first_ts, max(last_ts) AS last_ts,
        arg_min(capture, (first_ts, frame)) AS capture, arg_min(frame, (first_ts, frame)) AS frame,
        arg_min(community_id, (first_ts, frame)) AS community_id
    FROM proven
    GROUP BY secret_digest, key_epoch, holder
), shared AS (
    SELECT secret_digest, key_epoch, list_sort(list(named))[:20] AS accounts, count(*) AS account_count,
        list_sort(list_distinct(flatten(list(protocols)))) AS protocols
    FROM holders
    GROUP BY secret_digest, key_epoch
    HAVING count(*) > 1
)
SELECT CASE WHEN h.identity_id IS NULL THEN h.device_id END AS device_id, h.identity_id, h.scope, h.mac, h.ip, NULL AS port,
    'shares its secret' AS subject, CASE WHEN len(s.protocols) > 1 THEN 'high' ELSE 'medium' END AS severity,
    h.named AS account, s.account_count, s.accounts, s.protocols, h.first_ts, h.last_ts, h.capture, h.frame, h.community_id
FROM holders AS h
JOIN shared AS s ON s.secret_digest = h.secret_digest AND s.key_epoch IS NOT DISTINCT FROM h.key_epoch
