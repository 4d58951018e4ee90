-- The feed's ends. The findings still know the newest number when retention has emptied the feed.
SELECT (SELECT min(seq) FROM finding_change) AS oldest_seq,
       greatest((SELECT coalesce(max(seq), 0) FROM finding_change), (SELECT coalesce(max(changed_seq), 0) FROM finding))
           AS latest_seq,
       (SELECT finding_id FROM finding_change WHERE seq = $seq LIMIT 1) AS finding_id
