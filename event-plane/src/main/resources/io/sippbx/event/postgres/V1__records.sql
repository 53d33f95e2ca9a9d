-- A row for each call that has ended; the columns are the fields of docs/CDR.md.
create table cdr (
  call_key           text primary key,
  call_id            text,
  callee_call_id     text,
  caller             text,
  callee             text,
  caller_uri         text,
  callee_uri         text,
  caller_ip          text,
  callee_ip          text,
  start_time         timestamptz not null,
  answer_time        timestamptz,
  end_time           timestamptz not null,
  duration           bigint not null,
  billable_duration  bigint not null,
  setup_ms           bigint,
  status             text not null,
  termination_reason text,
  sip_status         integer not null,
  codec              text,
  node               text,
  media_node         text,
  caller_packets     bigint not null,
  caller_bytes       bigint not null,
  caller_lost        bigint not null,
  callee_packets     bigint not null,
  callee_bytes       bigint not null,
  callee_lost        bigint not null
);

create index cdr_end_time on cdr (end_time);
create index cdr_caller on cdr (caller, end_time);
create index cdr_callee on cdr (callee, end_time);
create index cdr_call_id on cdr (call_id);

create view cdr_by_hour as
  select date_trunc('hour', end_time at time zone 'UTC') as hour_utc,
         count(*) as calls,
         count(*) filter (where status = 'completed') as completed,
         coalesce(sum(billable_duration), 0) as billable_seconds,
         avg(setup_ms) as average_setup_ms
  from cdr
  group by 1;

create view cdr_by_user as
  select name,
         count(*) filter (where outgoing) as calls_made,
         count(*) filter (where not outgoing) as calls_received,
         count(*) filter (where status = 'completed') as completed,
         coalesce(sum(billable_duration) filter (where outgoing), 0) as billable_seconds_made,
         max(end_time) as last_call
  from (select caller as name, true as outgoing, status, billable_duration, end_time from cdr
        union all
        select callee, false, status, billable_duration, end_time from cdr) as legs
  group by name;
