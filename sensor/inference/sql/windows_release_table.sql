-- Windows releases by the build that NTLM and SMB report (sensor/knowledge/tables/windows_releases.csv): one row per release
-- that can report a build, so several per build. `eol`: end of security support; `extended`: with paid extension.
CREATE OR REPLACE TEMP TABLE windows_release (
    build VARCHAR NOT NULL, product VARCHAR NOT NULL, edition VARCHAR NOT NULL, eol DATE NOT NULL, extended DATE, note VARCHAR
)
