set 'execution.checkpointing.interval' = '2 s';
set 'execution.checkpointing.externalized-checkpoint-retention' = 'DELETE_ON_CANCELLATION';
set 'execution.runtime-mode' = 'STREAMING';
set 'parallelism.default' = '1';
set 'restart-strategy.type' = 'exponential-delay';
set 'restart-strategy.exponential-delay.initial-backoff' = '1 s';
set 'restart-strategy.exponential-delay.max-backoff' = '30 s';
set 'restart-strategy.exponential-delay.reset-backoff-threshold' = '10 min';
set 'table.exec.sink.upsert-materialize' = 'NONE';
set 'table.local-time-zone' = 'UTC';

create table `events` (
  `record` BYTES,
  `record_key` BYTES,
  `headers` MAP<STRING, BYTES> METADATA VIRTUAL,
  `partition` INT METADATA VIRTUAL,
  `offset` BIGINT METADATA VIRTUAL,
  `taken` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL
) with (
  'connector' = 'kafka',
  'topic' = 'cars-events.raw-business-events',
  'properties.bootstrap.servers' = 'kafka.example:9092',
  'properties.group.id' = 'cars.routing',
  'scan.startup.mode' = 'group-offsets',
  'properties.auto.offset.reset' = 'none',
  'key.format' = 'raw',
  'key.fields' = 'record_key',
  'value.format' = 'raw',
  'value.fields-include' = 'EXCEPT_KEY'
);

create table `routed` (
  `topic` STRING METADATA,
  `headers` MAP<STRING, BYTES> METADATA,
  `record_key` BYTES,
  `record` BYTES
) with (
  'connector' = 'kafka',
  'topic' = 'cars.events.filtered-loan-events;cars.events.filtered-service-events;cars.events.filtered-high-value-loans;cars.events.filtered-car-events;cars.events.routing-dead-letters',
  'properties.bootstrap.servers' = 'kafka.example:9092',
  'properties.compression.type' = 'lz4',
  'properties.linger.ms' = '1',
  'properties.max.request.size' = '16842752',
  'sink.delivery-guarantee' = 'at-least-once',
  'key.format' = 'raw',
  'key.fields' = 'record_key',
  'value.format' = 'raw',
  'value.fields-include' = 'EXCEPT_KEY'
);

create table `kafka_headrace_pulse` (
  `at` STRING,
  `source` STRING,
  `headers` MAP<STRING, BYTES> METADATA VIRTUAL
) with (
  'connector' = 'kafka',
  'topic' = 'cars-events.public.headrace_pulse',
  'properties.bootstrap.servers' = 'kafka.example:9092',
  'properties.group.id' = 'cars.routing',
  'scan.startup.mode' = 'group-offsets',
  'properties.auto.offset.reset' = 'none',
  'key.format' = 'raw',
  'key.fields' = 'source',
  'value.format' = 'raw',
  'value.fields-include' = 'EXCEPT_KEY'
);

create table `analytics_pulse` (
  `stream` STRING,
  `source` STRING,
  `pulse_at` TIMESTAMP(6),
  `source_committed_at` TIMESTAMP(3),
  `source_position` BIGINT,
  `from_snapshot` BOOLEAN,
  primary key (`stream`) not enforced
) with (
  'connector' = 'jdbc',
  'url' = 'jdbc:postgresql://analytics.example:5432/analyticsdb?user=headrace_writer&currentSchema=cars&ApplicationName=cars.routing&reWriteBatchedInserts=true&stringtype=unspecified&tcpKeepAlive=true&connectTimeout=10&socketTimeout=60',
  'table-name' = 'pulse',
  'sink.buffer-flush.interval' = '100 ms',
  'sink.buffer-flush.max-rows' = '1000',
  'sink.max-retries' = '3'
);

execute statement set begin

insert into `routed`
with `decoded` as (
select `record`, `record_key`, `partition`, `offset`, `taken`, decode(`record`, 'UTF-8') as `event`,
  coalesce(decode(`headers`['__op'], 'UTF-8') = 'r', false) as `snapshot`,
  extract(epoch from `taken`) * 1000000 + extract(millisecond from `taken`) * 1000 as `taken_us`
from `events`
),
`columns_1` as (
select e.*, c.* from `decoded` as e cross join unnest(array[row(
  json_value(`event`, '$.eventHeader.eventName'),
  json_value(`event`, '$.eventBody.entities[0].entityType')
)]) as c (`$.eventHeader.eventName`, `$.eventBody.entities[0].entityType`)
),
`columns_2` as (
select e.*, c.* from `columns_1` as e cross join unnest(array[row(
  case
    when `event` is null then 'it is empty'
    when encode(`event`, 'UTF-8') <> `record` then 'it is not UTF-8'
    when char_length(`event`) >= 2500000 and char_length(decode(encode(`event`, 'UTF-16BE'), 'ISO-8859-1')) >= 10000000 and (try_parse_json('[' || `event` || ']') is null or try_parse_json('{"event":' || `event` || '}') is null) then 'it is longer than 5,000,000 characters, and the rest was cut off'
    when try_parse_json('[' || `event` || ']') is null or try_parse_json('{"event":{"filterMetadata":0,' || substring(`event` from position('{' in `event`) + 1) || '}') is null then case when try_parse_json('[' || `event` || ']') is null or try_parse_json('{"event":' || `event` || '}') is null then 'it is not one JSON value with each key once'
      when json_exists(`event`, '$.filterMetadata') then 'it has been through a filter'
      else 'it has no place for the stamp of a filter: it is no object, is empty, or says filterMetadata itself' end
    when `$.eventHeader.eventName` is null then 'eventName is missing' end
)]) as c (`fault`)
),
`columns_3` as (
select e.*, c.* from `columns_2` as e cross join unnest(array[row(
  case when `fault` is null then (`$.eventHeader.eventName` in ('LoanCreated', 'LoanPaymentSubmitted') and `$.eventBody.entities[0].entityType` in ('Loan', 'LoanPayment')) end,
  case when `fault` is null then (`$.eventHeader.eventName` = 'CarServiceDone' and `$.eventBody.entities[0].entityType` = 'ServiceRecord') end,
  case when `fault` is null then (`$.eventHeader.eventName` = 'CarCreated' and `$.eventBody.entities[0].entityType` = 'Car') end
)]) as c (`filter loan-events-filter`, `filter service-events-filter`, `filter car-creation-filter`)
),
`columns_4` as (
select e.*, c.* from `columns_3` as e cross join unnest(array[row(
  `fault` is null and ((`filter loan-events-filter` is null and ((`$.eventHeader.eventName` is null and json_query(`event`, '$.eventHeader.eventName') is not null) or (`$.eventBody.entities[0].entityType` is null and json_query(`event`, '$.eventBody.entities[0].entityType') is not null)))),
  `fault` is null and ((`filter service-events-filter` is null and ((`$.eventHeader.eventName` is null and json_query(`event`, '$.eventHeader.eventName') is not null) or (`$.eventBody.entities[0].entityType` is null and json_query(`event`, '$.eventBody.entities[0].entityType') is not null)))),
  `fault` is null and ((`filter car-creation-filter` is null and ((`$.eventHeader.eventName` is null and json_query(`event`, '$.eventHeader.eventName') is not null) or (`$.eventBody.entities[0].entityType` is null and json_query(`event`, '$.eventBody.entities[0].entityType') is not null))))
)]) as c (`filter loan-events-filter in doubt`, `filter service-events-filter in doubt`, `filter car-creation-filter in doubt`)
),
`routes` as (
select e.*, r.* from `columns_4` as e cross join unnest(array[
  case when `fault` is not null
    then row('cars.events.routing-dead-letters', cast(null as string), `fault`) end,
  case when `filter loan-events-filter`
    then row('cars.events.filtered-loan-events', '{"filterMetadata":{"filterId":"loan-events-filter","ruleVersion":1,"consumerId":"loan-consumer","filteredAt":', cast(null as string)) end,
  case when `filter loan-events-filter in doubt`
    then row('cars.events.routing-dead-letters', cast(null as string), 'filter loan-events-filter, version 1: a value is not of the type that it compares') end,
  case when `filter service-events-filter`
    then row('cars.events.filtered-service-events', '{"filterMetadata":{"filterId":"service-events-filter","ruleVersion":1,"consumerId":"service-consumer","filteredAt":', cast(null as string)) end,
  case when `filter service-events-filter in doubt`
    then row('cars.events.routing-dead-letters', cast(null as string), 'filter service-events-filter, version 1: a value is not of the type that it compares') end,
  case when `filter car-creation-filter`
    then row('cars.events.filtered-car-events', '{"filterMetadata":{"filterId":"car-creation-filter","ruleVersion":1,"consumerId":"car-consumer","filteredAt":', cast(null as string)) end,
  case when `filter car-creation-filter in doubt`
    then row('cars.events.routing-dead-letters', cast(null as string), 'filter car-creation-filter, version 1: a value is not of the type that it compares') end
]) as r (`topic`, `stamp`, `reason`)
)
select `topic`,
  case when `reason` is null and not `snapshot` then map['headrace.origin', encode(`origin`, 'UTF-8')]
    when `reason` is null then map['headrace.origin', encode(`origin`, 'UTF-8'), 'headrace.snapshot', encode('true', 'UTF-8')]
    when not `snapshot` then map['headrace.origin', encode(`origin`, 'UTF-8'), 'headrace.reason', encode(`reason`, 'UTF-8')]
    else map['headrace.origin', encode(`origin`, 'UTF-8'), 'headrace.snapshot', encode('true', 'UTF-8'), 'headrace.reason', encode(`reason`, 'UTF-8')] end,
  `record_key`,
  case when `stamp` is null then `record` else encode(`stamp` || cast(`now_ms` as string) || '},' || substring(`event` from position('{' in `event`) + 1), 'UTF-8') end
from (
  select *, cast(`partition` as string) || ':' || cast(`offset` as string) as `origin`,
    extract(epoch from localtimestamp) * 1000 + extract(millisecond from localtimestamp) as `now_ms`
  from `routes`
)
where `topic` is not null;

insert into `analytics_pulse`
select
  'routing',
  'events',
  cast(replace(replace(`at`, 'T', ' '), 'Z', '') as TIMESTAMP(6)),
  cast(to_timestamp_ltz(cast(decode(`headers`['__source_ts_ms'], 'UTF-8') as BIGINT), 3) as TIMESTAMP(3)),
  cast(decode(`headers`['__source_lsn'], 'UTF-8') as BIGINT),
  false
from `kafka_headrace_pulse`
where `source` = 'cars.events';

end;
