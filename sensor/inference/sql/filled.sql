-- Which kinds of facts there are at all.
SELECT 'seen_attribute' AS name WHERE EXISTS (FROM seen_attribute)
UNION ALL
SELECT 'seen_channel' WHERE EXISTS (FROM seen_channel)
UNION ALL
SELECT 'seen_certificate' WHERE EXISTS (FROM seen_certificate)
UNION ALL
SELECT 'seen_authentication' WHERE EXISTS (FROM seen_authentication)
UNION ALL
SELECT 'seen_anomaly' WHERE EXISTS (FROM seen_anomaly)
UNION ALL
SELECT 'seen_conversation' WHERE EXISTS (FROM seen_conversation)
