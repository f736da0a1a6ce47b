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

create table `kafka_orders` (
  `before` ROW<`id` STRING>,
  `after` ROW<`id` STRING, `user_id` STRING, `total` STRING, `status` STRING, `created_at` STRING>,
  `op` STRING,
  `source` ROW<`ts_ms` BIGINT, `lsn` BIGINT, `snapshot` STRING>
) with (
  'connector' = 'kafka',
  'topic' = 'ecom-connector.public.orders',
  'properties.bootstrap.servers' = 'kafka.example:9092',
  'properties.group.id' = 'bookstore.ecom',
  'scan.startup.mode' = 'group-offsets',
  'properties.auto.offset.reset' = 'none',
  'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601'
);

create table `analytics_fact_orders` (
  `id` STRING,
  `user_id` STRING,
  `total` STRING,
  `status` STRING,
  `created_at` STRING,
  `source_committed_at` TIMESTAMP(3),
  `source_position` BIGINT,
  `from_snapshot` BOOLEAN,
  primary key (`id`) not enforced
) with (
  'connector' = 'jdbc',
  'url' = 'jdbc:postgresql://analytics.example:5432/analyticsdb?user=headrace_writer&currentSchema=public&ApplicationName=bookstore.ecom&reWriteBatchedInserts=true&stringtype=unspecified&tcpKeepAlive=true&connectTimeout=10&socketTimeout=60',
  'table-name' = 'fact_orders',
  'sink.buffer-flush.interval' = '2 ms',
  'sink.buffer-flush.max-rows' = '1000',
  'sink.max-retries' = '3'
);

create table `kafka_order_items` (
  `before` ROW<`id` STRING>,
  `after` ROW<`id` STRING, `order_id` STRING, `book_id` STRING, `quantity` INT, `price_at_purchase` STRING>,
  `op` STRING,
  `source` ROW<`ts_ms` BIGINT, `lsn` BIGINT, `snapshot` STRING>
) with (
  'connector' = 'kafka',
  'topic' = 'ecom-connector.public.order_items',
  'properties.bootstrap.servers' = 'kafka.example:9092',
  'properties.group.id' = 'bookstore.ecom',
  'scan.startup.mode' = 'group-offsets',
  'properties.auto.offset.reset' = 'none',
  'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601'
);

create table `analytics_fact_order_items` (
  `id` STRING,
  `order_id` STRING,
  `book_id` STRING,
  `quantity` INT,
  `price_at_purchase` STRING,
  `source_committed_at` TIMESTAMP(3),
  `source_position` BIGINT,
  `from_snapshot` BOOLEAN,
  primary key (`id`) not enforced
) with (
  'connector' = 'jdbc',
  'url' = 'jdbc:postgresql://analytics.example:5432/analyticsdb?user=headrace_writer&currentSchema=public&ApplicationName=bookstore.ecom&reWriteBatchedInserts=true&stringtype=unspecified&tcpKeepAlive=true&connectTimeout=10&socketTimeout=60',
  'table-name' = 'fact_order_items',
  'sink.buffer-flush.interval' = '2 ms',
  'sink.buffer-flush.max-rows' = '1000',
  'sink.max-retries' = '3'
);

create table `kafka_books` (
  `before` ROW<`id` STRING>,
  `after` ROW<`id` STRING, `title` STRING, `author` STRING, `price` STRING, `description` STRING, `cover_url` STRING, `isbn` STRING, `genre` STRING, `published_year` INT, `created_at` STRING>,
  `op` STRING,
  `source` ROW<`ts_ms` BIGINT, `lsn` BIGINT, `snapshot` STRING>
) with (
  'connector' = 'kafka',
  'topic' = 'ecom-connector.public.books',
  'properties.bootstrap.servers' = 'kafka.example:9092',
  'properties.group.id' = 'bookstore.ecom',
  'scan.startup.mode' = 'group-offsets',
  'properties.auto.offset.reset' = 'none',
  'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601'
);

create table `analytics_dim_books` (
  `id` STRING,
  `title` STRING,
  `author` STRING,
  `price` STRING,
  `description` STRING,
  `cover_url` STRING,
  `isbn` STRING,
  `genre` STRING,
  `published_year` INT,
  `created_at` STRING,
  `source_committed_at` TIMESTAMP(3),
  `source_position` BIGINT,
  `from_snapshot` BOOLEAN,
  primary key (`id`) not enforced
) with (
  'connector' = 'jdbc',
  'url' = 'jdbc:postgresql://analytics.example:5432/analyticsdb?user=headrace_writer&currentSchema=public&ApplicationName=bookstore.ecom&reWriteBatchedInserts=true&stringtype=unspecified&tcpKeepAlive=true&connectTimeout=10&socketTimeout=60',
  'table-name' = 'dim_books',
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
  'topic' = 'ecom-connector.public.headrace_pulse',
  'properties.bootstrap.servers' = 'kafka.example:9092',
  'properties.group.id' = 'bookstore.ecom',
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
  'url' = 'jdbc:postgresql://analytics.example:5432/analyticsdb?user=headrace_writer&currentSchema=public&ApplicationName=bookstore.ecom&reWriteBatchedInserts=true&stringtype=unspecified&tcpKeepAlive=true&connectTimeout=10&socketTimeout=60',
  'table-name' = 'pulse',
  'sink.buffer-flush.interval' = '100 ms',
  'sink.buffer-flush.max-rows' = '1000',
  'sink.max-retries' = '3'
);

execute statement set begin

insert into `analytics_fact_orders`
select
  case when `op` in ('c', 'u', 'r') then `after`.`id` when `op` = 'd' and `source`.`lsn` > 0 then `before`.`id` end,
  `after`.`user_id`,
  `after`.`total`,
  `after`.`status`,
  `after`.`created_at`,
  cast(to_timestamp_ltz(`source`.`ts_ms`, 3) as TIMESTAMP(3)),
  case when `op` = 'd' then -`source`.`lsn` when coalesce(`source`.`snapshot`, 'false') <> 'false' then cast(null as BIGINT) else `source`.`lsn` end,
  coalesce(`source`.`snapshot`, 'false') <> 'false'
from `kafka_orders`;

insert into `analytics_fact_order_items`
select
  case when `op` in ('c', 'u', 'r') then `after`.`id` when `op` = 'd' and `source`.`lsn` > 0 then `before`.`id` end,
  `after`.`order_id`,
  `after`.`book_id`,
  `after`.`quantity`,
  `after`.`price_at_purchase`,
  cast(to_timestamp_ltz(`source`.`ts_ms`, 3) as TIMESTAMP(3)),
  case when `op` = 'd' then -`source`.`lsn` when coalesce(`source`.`snapshot`, 'false') <> 'false' then cast(null as BIGINT) else `source`.`lsn` end,
  coalesce(`source`.`snapshot`, 'false') <> 'false'
from `kafka_order_items`;

insert into `analytics_dim_books`
select
  case when `op` in ('c', 'u', 'r') then `after`.`id` when `op` = 'd' and `source`.`lsn` > 0 then `before`.`id` end,
  `after`.`title`,
  `after`.`author`,
  `after`.`price`,
  `after`.`description`,
  `after`.`cover_url`,
  `after`.`isbn`,
  `after`.`genre`,
  `after`.`published_year`,
  `after`.`created_at`,
  cast(to_timestamp_ltz(`source`.`ts_ms`, 3) as TIMESTAMP(3)),
  case when `op` = 'd' then -`source`.`lsn` when coalesce(`source`.`snapshot`, 'false') <> 'false' then cast(null as BIGINT) else `source`.`lsn` end,
  coalesce(`source`.`snapshot`, 'false') <> 'false'
from `kafka_books`;

insert into `analytics_pulse`
select
  'ecom',
  'ecom',
  cast(`after`.`at` as TIMESTAMP(6)),
  cast(to_timestamp_ltz(`source`.`ts_ms`, 3) as TIMESTAMP(3)),
  case when `op` = 'd' then -`source`.`lsn` when coalesce(`source`.`snapshot`, 'false') <> 'false' then cast(null as BIGINT) else `source`.`lsn` end,
  coalesce(`source`.`snapshot`, 'false') <> 'false'
from `kafka_headrace_pulse`
where `after`.`source` = 'bookstore.ecom';

end;
