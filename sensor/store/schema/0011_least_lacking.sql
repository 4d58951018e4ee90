-- The quality of a fact is that of the sight of it that lacks least, where it was of all of them what any lacked: its bits
-- from the least grave on, so that of two numbers the smaller one lacks less. What rows said until now stays as it is.

UPDATE fact_attribute
SET quality = ((quality & 1) << 4) | ((quality & 2) << 2) | (quality & 4) | ((quality & 8) >> 2) | (quality >> 4)
WHERE quality <> 0;
UPDATE fact_channel
SET quality = ((quality & 1) << 4) | ((quality & 2) << 2) | (quality & 4) | ((quality & 8) >> 2) | (quality >> 4)
WHERE quality <> 0;
UPDATE fact_certificate
SET quality = ((quality & 1) << 4) | ((quality & 2) << 2) | (quality & 4) | ((quality & 8) >> 2) | (quality >> 4)
WHERE quality <> 0;
UPDATE fact_authentication
SET quality = ((quality & 1) << 4) | ((quality & 2) << 2) | (quality & 4) | ((quality & 8) >> 2) | (quality >> 4)
WHERE quality <> 0;
UPDATE fact_anomaly
SET quality = ((quality & 1) << 4) | ((quality & 2) << 2) | (quality & 4) | ((quality & 8) >> 2) | (quality >> 4)
WHERE quality <> 0;
