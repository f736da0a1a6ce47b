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

create table `kafka_inventory` (
  `before` ROW<`book_id` STRING>,
  `after` ROW<`book_id` STRING, `quantity` INT, `reserved` INT, `updated_at` STRING>,
  `op` STRING,
  `source` ROW<`ts_ms` BIGINT, `lsn` BIGINT, `snapshot` STRING>
) with (
  'connector' = 'kafka',
  'topic' = 'inventory-connector.public.inventory',
  'properties.bootstrap.servers' = 'kafka.example:9092',
  'properties.group.id' = 'bookstore.inventory',
  'scan.startup.mode' = 'group-offsets',
  'properties.auto.offset.reset' = 'none',
  'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601'
);

create table `analytics_fact_inventory` (
  `book_id` STRING,
  `quantity` INT,
  `reserved` INT,
  `updated_at` STRING,
  `source_committed_at` TIMESTAMP(3),
  `source_position` BIGINT,
  `from_snapshot` BOOLEAN,
  primary key (`book_id`) not enforced
) with (
  'connector' = 'jdbc',
  'url' = 'jdbc:postgresql://analytics.example:5432/analyticsdb?user=headrace_writer&currentSchema=public&ApplicationName=bookstore.inventory&reWriteBatchedInserts=true&stringtype=unspecified&tcpKeepAlive=true&connectTimeout=10&socketTimeout=60',
  'table-name' = 'fact_inventory',
  'sink.buffer-flush.interval' = '2 ms',
  'sink.buffer-flush.max-rows' = '1000',
  'sink.max-retries' = '3'
);

create table `kafka_headrace_pulse` (
  `after` ROW<`source` STRING, `at` TIMESTAMP_LTZ(6)>,
  `op` STRING,
  `source` ROW<`ts_ms` BIGINT, `lsn` BIGINT, `snapshot` STRING>
) with (
  'connector' = 'kafka',
  'topic' = 'inventory-connector.public.headrace_pulse',
  'properties.bootstrap.servers' = 'kafka.example:9092',
  'properties.group.id' = 'bookstore.inventory',
  'scan.startup.mode' = 'group-offsets',
  'properties.auto.offset.reset' = 'none',
  'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601'
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
  'url' = 'jdbc:postgresql://analytics.example:5432/analyticsdb?user=headrace_writer&currentSchema=public&ApplicationName=bookstore.inventory&reWriteBatchedInserts=true&stringtype=unspecified&tcpKeepAlive=true&connectTimeout=10&socketTimeout=60',
  'table-name' = 'pulse',
  'sink.buffer-flush.interval' = '100 ms',
  'sink.buffer-flush.max-rows' = '1000',
  'sink.max-retries' = '3'
);

execute statement set begin

insert into `analytics_fact_inventory`
select
  case when `op` in ('c', 'u', 'r') then `after`.`book_id` when `op` = 'd' and `source`.`lsn` > 0 then `before`.`book_id` end,
  `after`.`quantity`,
  `after`.`reserved`,
  `after`.`updated_at`,
  cast(to_timestamp_ltz(`source`.`ts_ms`, 3) as TIMESTAMP(3)),
  case when `op` = 'd' then -`source`.`lsn` when coalesce(`source`.`snapshot`, 'false') <> 'false' then cast(null as BIGINT) else `source`.`lsn` end,
  coalesce(`source`.`snapshot`, 'false') <> 'false'
from `kafka_inventory`;

insert into `analytics_pulse`
select
  'inventory',
  'inventory',
  cast(`after`.`at` as TIMESTAMP(6)),
  cast(to_timestamp_ltz(`source`.`ts_ms`, 3) as TIMESTAMP(3)),
  case when `op` = 'd' then -`source`.`lsn` when coalesce(`source`.`snapshot`, 'false') <> 'false' then cast(null as BIGINT) else `source`.`lsn` end,
  coalesce(`source`.`snapshot`, 'false') <> 'false'
from `kafka_headrace_pulse`
where `after`.`source` = 'bookstore.inventory';

end;
