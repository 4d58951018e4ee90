-- Per device and day: how many conversations could show an identity, and why the others could not.
CREATE OR REPLACE VIEW blindspots AS
SELECT device_id, day, conversations, understood, reason, reason_count
FROM blindspot
