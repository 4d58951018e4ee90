-- How good the captures were.
SELECT coalesce(sum(n), 0)::BIGINT AS conversations,
       coalesce(sum(n) FILTER (protocol <> '' AND confidence = 'confirmed'), 0)::BIGINT AS understood,
       coalesce(sum(n) FILTER (protocol = ''), 0)::BIGINT AS unknown_protocol,
       coalesce(sum(midstream_count), 0)::BIGINT AS midstream, coalesce(sum(one_sided_count), 0)::BIGINT AS one_sided,
       coalesce(sum(gap_count), 0)::BIGINT AS with_gaps, coalesce(sum(unanswered_count), 0)::BIGINT AS unanswered,
       coalesce(sum(initiator_bytes + responder_bytes), 0)::BIGINT AS payload_bytes,
       coalesce(sum(copied_bytes), 0)::BIGINT AS copied_bytes,
       coalesce(sum(lost_bytes), 0)::BIGINT AS lost_bytes, coalesce(sum(left_out_bytes), 0)::BIGINT AS left_out_bytes
FROM conversations
