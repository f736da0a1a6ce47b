-- From the files' own words to the airline's tables, and to the events of the year in their order.
insert into airports select faa, name, lat, lon, alt, tzone from replay.airports;

insert into weather
select origin, time_hour, temp, dewp, humid, wind_dir, wind_speed, wind_gust, precip, pressure, visib from replay.weather;

-- Clock times are local: of New York at departure, of the destination at arrival, hours and minutes as one number.
-- The airports' list leaves out four of Puerto Rico and the US Virgin Islands, which share a zone.
create table replay.flights as
with scheduled as (
  select *, make_timestamp(year, month, day, hour, minute, 0) as scheduled_local from replay.departures
),
departing as (
  select
    d.*,
    scheduled_local at time zone 'America/New_York' as scheduled_departure,
    coalesce(a.tzone, 'America/Puerto_Rico') as zone
  from scheduled d
  left join replay.airports a on a.faa = d.dest
),
leaving as (
  select
    *,
    scheduled_departure + dep_delay * interval '1 minute' as departed_at,
    replay.next_at(scheduled_departure, sched_arr_time, zone) as scheduled_arrival
  from departing
)
select
  row_number() over (order by scheduled_departure, carrier, flight) as id,
  carrier,
  flight as flight_number,
  origin,
  dest as destination,
  distance,
  scheduled_local,
  scheduled_departure,
  scheduled_arrival,
  tailnum as tail_number,
  departed_at,
  dep_delay as departure_delay,
  coalesce(scheduled_arrival + arr_delay * interval '1 minute', replay.next_at(departed_at, arr_time, zone)) as arrived_at,
  arr_delay as arrival_delay,
  air_time as air_minutes
from leaving;

alter table replay.flights add primary key (id);

-- An aircraft is assigned three hours before departure, at the latest when the flight leaves. A cancelled flight is given up
-- when it was due. A diverted flight that never arrived is known as such six hours after it left.
create table replay.events as
select row_number() over (order by at, flight, kind) as number, at, kind, flight
from (
  select id as flight, scheduled_departure - interval '24 hours' as at, 1 as kind from replay.flights
  union all
  select id, least(scheduled_departure - interval '3 hours', departed_at), 2 from replay.flights where tail_number is not null
  union all
  select id, coalesce(departed_at, scheduled_departure), 3 from replay.flights
  union all
  select id, coalesce(arrived_at, departed_at + interval '6 hours'), 4 from replay.flights where departed_at is not null
) events;

alter table replay.events add primary key (number);
create index on replay.events (at);

-- The number of the last event that the airline's tables show.
create table replay.position (number bigint not null);
insert into replay.position values (0);

drop table replay.departures, replay.airports, replay.weather;
analyze replay.flights, replay.events;
