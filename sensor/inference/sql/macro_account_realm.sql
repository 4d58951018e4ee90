-- The authority that knows an account, in lower case: the stated realm, unless it says that the server itself is meant
-- (MS-NLMP 3.3.2: empty, '.'; the client's own name and the default workgroup are tried there, too). NULL: unknown.
CREATE OR REPLACE TEMP MACRO account_realm(realm, details) AS
    CASE
        WHEN lower(coalesce(realm, '')) IN ('', '.', 'workgroup', lower(coalesce(json_extract_string(details, '$.workstation'), '')))
        THEN lower(json_extract_string(details, '$.target_name'))
        ELSE lower(realm)
    END
