-- Live VLANs and tunnels that carry most; all others together as 'rest'.
WITH carried AS (
    SELECT interface, segment, sum(packets) AS packets, sum(bytes) AS bytes, sum(duplicates) AS duplicates,
           row_number() OVER (ORDER BY sum(packets) DESC, interface, segment) AS place
    FROM traffic
    WHERE source = 'live'
    GROUP BY interface, segment
)
SELECT CASE WHEN place <= $most THEN interface ELSE '' END AS interface,
       CASE WHEN place <= $most THEN segment ELSE 'rest' END AS segment,
       sum(packets)::BIGINT AS packets, sum(bytes)::BIGINT AS bytes, sum(duplicates)::BIGINT AS duplicates
FROM carried
GROUP BY ALL
ORDER BY min(place)
