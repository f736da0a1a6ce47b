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
  `id` STRING,
  `user_id` STRING,
  `total` STRING,
  `status` STRING,
  `created_at` STRING,
  `$committed_at` TIMESTAMP_LTZ(3) metadata from 'value.source.timestamp' virtual,
  `$source` MAP<STRING, STRING> metadata from 'value.source.properties' virtual,
  primary key (`id`) not enforced
) with (
  'connector' = 'kafka',
  'topic' = 'ecom-connector.public.orders',
  'properties.bootstrap.servers' = 'kafka.example:9092',
  'properties.group.id' = 'bookstore.ecom',
  'scan.startup.mode' = 'group-offsets',
  'properties.auto.offset.reset' = 'none',
  'format' = 'debezium-json',
  'debezium-json.timestamp-format.standard' = 'ISO-8601'
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
  `id` STRING,
  `order_id` STRING,
  `book_id` STRING,
  `quantity` INT,
  `price_at_purchase` STRING,
  `$committed_at` TIMESTAMP_LTZ(3) metadata from 'value.source.timestamp' virtual,
  `$source` MAP<STRING, STRING> metadata from 'value.source.properties' virtual,
  primary key (`id`) not enforced
) with (
  'connector' = 'kafka',
  'topic' = 'ecom-connector.public.order_items',
  'properties.bootstrap.servers' = 'kafka.example:9092',
  'properties.group.id' = 'bookstore.ecom',
  'scan.startup.mode' = 'group-offsets',
  'properties.auto.offset.reset' = 'none',
  'format' = 'debezium-json',
  'debezium-json.timestamp-format.standard' = 'ISO-8601'
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
  `$committed_at` TIMESTAMP_LTZ(3) metadata from 'value.source.timestamp' virtual,
  `$source` MAP<STRING, STRING> metadata from 'value.source.properties' virtual,
  primary key (`id`) not enforced
) with (
  'connector' = 'kafka',
  'topic' = 'ecom-connector.public.books',
  'properties.bootstrap.servers' = 'kafka.example:9092',
  'properties.group.id' = 'bookstore.ecom',
  'scan.startup.mode' = 'group-offsets',
  'properties.auto.offset.reset' = 'none',
  'format' = 'debezium-json',
  'debezium-json.timestamp-format.standard' = 'ISO-8601'
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
  `source` ROW<`ts_ms` BIGINT, `lsn` STRING, `snapshot` STRING>,
  `$committed_at` as to_timestamp_ltz(`source`.`ts_ms`, 3),
  `$source` as map['lsn', `source`.`lsn`, 'snapshot', `source`.`snapshot`]
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
  `id`,
  `user_id`,
  `total`,
  `status`,
  `created_at`,
  cast(`$committed_at` as TIMESTAMP(3)),
  case when coalesce(`$source`['snapshot'], 'false') <> 'false' then cast(null as BIGINT) else cast(`$source`['lsn'] as BIGINT) end,
  coalesce(`$source`['snapshot'], 'false') <> 'false'
from `kafka_orders`;

insert into `analytics_fact_order_items`
select
  `id`,
  `order_id`,
  `book_id`,
  `quantity`,
  `price_at_purchase`,
  cast(`$committed_at` as TIMESTAMP(3)),
  case when coalesce(`$source`['snapshot'], 'false') <> 'false' then cast(null as BIGINT) else cast(`$source`['lsn'] as BIGINT) end,
  coalesce(`$source`['snapshot'], 'false') <> 'false'
from `kafka_order_items`;

insert into `analytics_dim_books`
select
  `id`,
  `title`,
  `author`,
  `price`,
  `description`,
  `cover_url`,
  `isbn`,
  `genre`,
  `published_year`,
  `created_at`,
  cast(`$committed_at` as TIMESTAMP(3)),
  case when coalesce(`$source`['snapshot'], 'false') <> 'false' then cast(null as BIGINT) else cast(`$source`['lsn'] as BIGINT) end,
  coalesce(`$source`['snapshot'], 'false') <> 'false'
from `kafka_books`;

insert into `analytics_pulse`
select
  'ecom',
  'ecom',
  cast(`after`.`at` as TIMESTAMP(6)),
  cast(`$committed_at` as TIMESTAMP(3)),
  case when coalesce(`$source`['snapshot'], 'false') <> 'false' then cast(null as BIGINT) else cast(`$source`['lsn'] as BIGINT) end,
  coalesce(`$source`['snapshot'], 'false') <> 'false'
from `kafka_headrace_pulse`
where `after`.`source` = 'bookstore.ecom';

end;
