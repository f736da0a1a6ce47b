-- The airline's operations database. A flight's aircraft, or an airport it is bound for, may be on no list.
create table airlines (carrier text primary key, name text not null);

create table airports (
  faa text primary key,
  name text not null,
  latitude double precision not null,
  longitude double precision not null,
  altitude integer not null,
  time_zone text
);

create table planes (
  tail_number text primary key,
  built integer,
  kind text,
  manufacturer text,
  model text,
  engines integer,
  seats integer,
  speed integer,
  engine text
);

create table weather (
  origin text,
  observed_at timestamptz,
  temperature double precision,
  dew_point double precision,
  humidity double precision,
  wind_direction integer,
  wind_speed double precision,
  wind_gust double precision,
  precipitation double precision,
  pressure double precision,
  visibility double precision,
  primary key (origin, observed_at)
);

-- A flight's row is written four times: half-filled pages let its updates stay on their page.
create table flights (
  id bigint primary key,
  carrier text not null references airlines,
  flight_number integer not null,
  origin text not null references airports,
  destination text not null,
  distance integer not null,
  scheduled_local timestamp not null, -- on the clocks of the airport it leaves
  scheduled_departure timestamptz not null,
  scheduled_arrival timestamptz not null,
  tail_number text,
  status text not null default 'SCHEDULED',
  departed_at timestamptz,
  departure_delay integer,
  arrived_at timestamptz,
  arrival_delay integer,
  air_minutes integer,
  unique (carrier, flight_number, scheduled_departure)
) with (fillfactor = 50);

-- What the replayer knows and the airline does not yet: the year as it is going to happen. Nobody captures it.
create schema replay;

-- The first moment after another at which a clock in a zone shows a time such as 1745.
create function replay.next_at(after timestamptz, clock integer, zone text) returns timestamptz immutable language sql as $$
  select (day + case when day > after at time zone zone then interval '0' else interval '1 day' end) at time zone zone
  from (select date_trunc('day', after at time zone zone) + make_interval(hours => clock / 100, mins => clock % 100)) as due(day)
$$;

create table replay.airports (
  faa text, name text, lat double precision, lon double precision, alt integer, tz integer, dst text, tzone text
);

create table replay.weather (
  origin text, year integer, month integer, day integer, hour integer, temp double precision, dewp double precision,
  humid double precision, wind_dir integer, wind_speed double precision, wind_gust double precision, precip double precision,
  pressure double precision, visib double precision, time_hour timestamptz
);

create table replay.departures (
  year integer, month integer, day integer, dep_time integer, sched_dep_time integer, dep_delay integer, arr_time integer,
  sched_arr_time integer, arr_delay integer, carrier text, flight integer, tailnum text, origin text, dest text, air_time integer,
  distance integer, hour integer, minute integer, time_hour timestamptz
);
