-- How the media was, how long the caller heard nothing, and which nodes had the call.
alter table cdr
  add column caller_jitter_ms   numeric,
  add column callee_jitter_ms   numeric,
  add column post_dial_delay_ms bigint,
  add column first_node         text,
  add column recovered          boolean not null default false,
  add column last_known_up      timestamptz;

create index cdr_recovered on cdr (end_time) where recovered;
