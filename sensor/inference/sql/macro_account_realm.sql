-- The authority that knows an account, in lower case: the stated realm, unless it says that the server itself is meant
-- (MS-NLMP 3.3.2: empty, '.'; the client's own name and the default workgroup are tried there, too), or the server is in no
-- domain: then it calls itself its domain, and knows its own accounts only. NULL: unknown.
CREATE OR REPLACE TEMP MACRO account_realm(realm, details) AS
    CASE
        WHEN lower(json_extract_string(details, '$.target_domain')) = lower(json_extract_string(details, '$.target_name'))
        THEN lower(json_extract_string(details, '$.target_name'))
        WHEN lower(coalesce(realm, '')) IN ('', '.', 'workgroup', lower(coalesce(json_extract_string(details, '$.workstation'), '')))
        THEN lower(json_extract_string(details, '$.target_name'))
        ELSE lower(realm)
    END
