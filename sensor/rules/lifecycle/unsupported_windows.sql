/*
id: EOL-001
title: Windows release without security updates
severity: high
confidence: probable
why: >-
  By the build number that it reports, the device runs a release of Windows for which Microsoft has stopped making
  security updates. Holes found since then stay open. Where only an edition with long-term or paid support still gets
  them, find out whether the device has it. Several releases share a build, so the latest date of all counts. What a
  program reports while it logs on may be its own invention: it weighs less than what a server answers.
remedy: >-
  Ask the device's maker for an update or a newer release. Until then keep it in a segment of its own and let it reach
  only its own servers.
references:
  - Microsoft Lifecycle
  - MS-NLMP 2.2.2.10 (VERSION)
resolves: {seen: attribute, after_days: 7}
mappings:
  owasp_nhi: ["NHI1:2025"]
  nist_csf: [PR.PS-02, ID.AM-08]
  cwe: [1104]
  attack: [T1210]
  hipaa: ["164.312(a)(1)"]
  iec_62443: [EDR 3.10]
  fda: [Updt]
cases:
  fire:
    - what: a server answers with the build of Windows 7
      rows:
        - {attribute: {ntlm.os_version: 6.1.7601}, side: responder, protocol: smb, port: 445}
      severity: high
      count: 1
    - what: Windows 10 of 2021, whose long-term edition is still served
      rows:
        - {attribute: {ntlm.os_version: 10.0.19044}, side: responder, protocol: smb, port: 445}
      severity: medium
      count: 1
    - what: a client says that it is Windows XP, and offers what only Windows offers
      rows:
        - {attribute: {ntlm.os_version: 5.1.2600, smb.offered_dialect: [Windows for Workgroups 3.1a, NT LM 0.12]}, protocol: smb, port: 445}
      severity: medium
      count: 1
    - what: a client says that it is Windows XP
      rows:
        - {attribute: {ntlm.os_version: 5.1.2600, smb.offered_dialect: NT LM 0.12}, protocol: smb, port: 445}
      severity: low
      count: 1
    - what: the system's name in SMB 1
      rows:
        - {attribute: {smb.native_os: Windows Server 2003 3790 Service Pack 2}, side: responder, protocol: smb, port: 139}
      severity: high
      count: 1
    - what: another program on the server says that it is Unix
      rows:
        - {attribute: {ntlm.os_version: 6.1.7601}, side: responder, protocol: smb, port: 445}
        - {attribute: {smb.native_os: Unix}, protocol: smb, port: 445, from: 10.0.0.2, to: 10.0.0.3}
      severity: high
    - what: recorded, a library that says Windows Server 2008
      capture: pcaps/smb/pysmb_smb2.pcap
      severity: low
    - what: recorded, the system's name in SMB 1
      capture: pcaps/smb/windows_2003.pcap
      severity: high
    - what: recorded, a client's word
      capture: pcaps/smb/windows_7.pcap
      severity: low
  silent:
    - what: a build of zero is Samba or an appliance
      rows:
        - {attribute: {ntlm.os_version: 6.1.0}, side: responder, protocol: smb, port: 445}
    - what: what Samba calls itself
      rows:
        - {attribute: {smb.native_os: Windows 6.1, smb.native_lan_manager: Samba 4.17.12}, side: responder, protocol: smb, port: 139}
    - what: a build that a server still served shares
      rows:
        - {attribute: {ntlm.os_version: 10.0.17763}, side: responder, protocol: smb, port: 445}
    - what: it was seen while it was still served
      rows:
        - {attribute: {ntlm.os_version: 6.1.7601}, side: responder, protocol: smb, port: 445, at: "2019-06-01T10:00:00"}
    - what: a program that says Windows 7 and speaks SMB 3.1.1, which Windows 7 cannot
      rows:
        - {attribute: {ntlm.os_version: 6.1.7601, smb.offered_dialect: [SMB 2.1, SMB 3.1.1]}, protocol: smb, port: 445}
    - what: a system that says Windows 7 while it logs on, and its own name besides
      rows:
        - {attribute: {ntlm.os_version: 6.1.7600, smb.native_os: Mac OS X 10.10, smb.offered_dialect: [NT LM 0.12]}, protocol: smb, port: 445}
    - what: the device answers with a newer build than one of its programs says
      rows:
        - {attribute: {ntlm.os_version: 5.1.2600}, protocol: smb, port: 445, from: 10.0.0.2, to: 10.0.0.3}
        - {attribute: {ntlm.os_version: 10.0.20348}, side: responder, protocol: smb, port: 445}
    - what: a number in the name of another system
      rows:
        - {attribute: {smb.native_os: NetApp Release 9600}, side: responder, protocol: smb, port: 139}
    - what: recorded, Samba
      capture: pcaps/smb/smb311_ntlmv2.pcap
    - what: recorded, Samba over SMB 1
      capture: pcaps/smb/smb1_ntlmv2.pcap
    - what: recorded, a library that says nothing
      capture: pcaps/smb/impacket_smb21.pcap
    - what: recorded, a build that is still served
      capture: pcaps/smb/windows_ltsc.pcap
    - what: recorded, a dialect that Windows 7 never knew
      capture: pcaps/smb/windows_7_claimed.pcap
*/
WITH support AS (
    SELECT build, split_part(build, '.', 3) AS number, max(eol) FILTER (edition <> 'long-term') AS eol,
        max(greatest(eol, coalesce(extended, eol))) AS last_update, list_sort(list(product)) AS products
    FROM windows_release
    GROUP BY build
), said AS (
    SELECT *, value AS build, NULL AS number FROM seen_attribute WHERE name = 'ntlm.os_version'
    UNION ALL
    -- "Windows 7 Professional 7601 Service Pack 1": the number of the build stands in the name
    SELECT *, NULL, unnest(regexp_extract_all(value, '\b\d{4,5}\b')) FROM seen_attribute WHERE name = 'smb.native_os' AND value LIKE 'Windows%'
), answered AS (
    SELECT DISTINCT device_id FROM seen_attribute WHERE name = 'ntlm.os_version' AND side = 'responder' AND about = 'side'
), other_system AS (
    SELECT DISTINCT device_id, side FROM seen_attribute WHERE name = 'smb.native_os' AND about = 'side' AND value NOT LIKE 'Windows%'
), spoken AS (
    SELECT device_id, bool_or(value = 'Windows for Workgroups 3.1a') AS as_windows_does,
        max(list_position(['SMB 2.002', 'SMB 2.0.2', 'SMB 2.1', 'SMB 3.0', 'SMB 3.0.2', 'SMB 3.1.1'], value)) AS newest
    FROM seen_attribute
    WHERE name = 'smb.offered_dialect'
    GROUP BY device_id
)
SELECT f.device_id, NULL AS identity_id, f.scope, f.mac, f.ip, NULL AS port, 'Windows build ' || s.build AS subject,
    -- a step less where some edition is still served; where it is a program's word; where the program is perhaps not Windows'
    list_extract(['high', 'medium', 'low', 'info'], 1 + (s.last_update >= f.day)::INTEGER + (f.side = 'initiator')::INTEGER
        + (f.side = 'initiator' AND NOT coalesce(p.as_windows_does, FALSE))::INTEGER) AS severity,
    s.build, s.products, s.eol AS security_updates_until, s.last_update AS long_term_or_paid_until, f.name AS read_in, f.side, f.peer_ip,
    f.first_ts, f.last_ts, f.capture, f.frame, f.community_id
FROM said AS f
JOIN support AS s ON s.build = f.build OR s.number = f.number
ANTI JOIN other_system AS o ON o.device_id = f.device_id AND o.side = f.side
LEFT JOIN answered AS a ON a.device_id = f.device_id AND f.side = 'initiator'
LEFT JOIN spoken AS p ON p.device_id = f.device_id
WHERE f.about = 'side' AND f.device_id IS NOT NULL AND f.day > s.eol AND a.device_id IS NULL
    -- the newest dialect that each generation of Windows knows: who speaks a newer one is another system
    AND NOT (f.side = 'initiator' AND coalesce(p.newest, 0) > CASE left(s.build, 3)
        WHEN '5.0' THEN 0 WHEN '5.1' THEN 0 WHEN '5.2' THEN 0 WHEN '6.0' THEN 2 WHEN '6.1' THEN 3 WHEN '6.2' THEN 4 WHEN '6.3' THEN 5
        ELSE 6 END)
