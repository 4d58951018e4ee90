-- What views and inference make of numbers that tables hold: MAC addresses, and Community IDs of flows. Made anew with the views.

-- '00:11:22:33:44:55' for a MAC address, which is a number of 48 bits.
CREATE OR REPLACE MACRO mac_text(mac) AS
    printf('%02x:%02x:%02x:%02x:%02x:%02x',
        mac >> 40 & 255, mac >> 32 & 255, mac >> 24 & 255, mac >> 16 & 255, mac >> 8 & 255, mac & 255);

-- The number of a MAC address that is written as `mac_text` does; NULL for what is none.
CREATE OR REPLACE MACRO mac_number(mac) AS TRY_CAST('0x' || replace(mac, ':', '') AS BIGINT);

-- All digits of some groups of an IPv6 address.
CREATE OR REPLACE MACRO ip_groups(groups) AS
    array_to_string(list_transform(string_split(groups, ':'), lambda g: CASE WHEN g = '' THEN '' ELSE lpad(g, 4, '0') END), '');

-- All hexadecimal digits of an IP address, 8 or 32; NULL where an IPv4 address is none. Spec: RFC 5952 4.
CREATE OR REPLACE MACRO ip_digits(ip) AS
    CASE WHEN contains(ip, ':') THEN
        ip_groups(split_part(ip, '::', 1))
            || repeat('0000', 8 - len(list_filter(string_split(ip, ':'), lambda g: g <> '')))
            || ip_groups(split_part(ip, '::', 2))
    ELSE printf('%02x%02x%02x%02x',
        TRY_CAST(split_part(ip, '.', 1) AS INTEGER), TRY_CAST(split_part(ip, '.', 2) AS INTEGER),
        TRY_CAST(split_part(ip, '.', 3) AS INTEGER), TRY_CAST(split_part(ip, '.', 4) AS INTEGER)) END;

-- A Community ID, from digits: addresses and ports of two ends that are in order. Spec: Community ID 1.0.
CREATE OR REPLACE MACRO digest_of_flow(transport, ip, port, peer_ip, peer_port) AS
    '1:' || to_base64(unhex(sha1(TRY(unhex(
        '0000' || ip || peer_ip || CASE transport WHEN 'tcp' THEN '0600' WHEN 'udp' THEN '1100' END || port || peer_port)))));

-- Community ID version 1 of a TCP or UDP flow, seed 0, the same for both directions; NULL where an end is not known. Of
-- addresses the `ip_digits` are given.
CREATE OR REPLACE MACRO flow_id(transport, digits, port, peer_digits, peer_port) AS
    CASE WHEN digits || printf('%04x', port) <= peer_digits || printf('%04x', peer_port)
    THEN digest_of_flow(transport, digits, printf('%04x', port), peer_digits, printf('%04x', peer_port))
    ELSE digest_of_flow(transport, peer_digits, printf('%04x', peer_port), digits, printf('%04x', port)) END;

-- The same of addresses as they are.
CREATE OR REPLACE MACRO community_id(transport, ip, port, peer_ip, peer_port) AS
    flow_id(transport, ip_digits(ip), port, ip_digits(peer_ip), peer_port);

-- The port of a side, and that of the other one. `port` is the responder's, as everywhere.
CREATE OR REPLACE MACRO own_port(side, port, initiator_port) AS CASE side WHEN 'initiator' THEN initiator_port ELSE port END;
CREATE OR REPLACE MACRO peer_port(side, port, initiator_port) AS CASE side WHEN 'initiator' THEN port ELSE initiator_port END
