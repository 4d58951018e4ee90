-- What workers of live interfaces had to let go of, by the names of their counters: their memory was used up.
SELECT named.kind,
       coalesce(sum(TRY_CAST(json_extract_string(c.counters, '$.' || named.kind) AS BIGINT)), 0)::BIGINT AS n
FROM (VALUES ('evicted_flows'), ('evicted_sessions'), ('evicted_session_bytes'), ('evicted_buffers'), ('evicted_facts'),
             ('rows_lost')) AS named(kind)
LEFT JOIN capture AS c ON coalesce(c.live, false)
GROUP BY named.kind
ORDER BY named.kind
