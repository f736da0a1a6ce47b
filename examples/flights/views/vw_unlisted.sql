/*
title: What the lists lack
description: Flights that are complete but for something on no list. They count everywhere all the same.
columns:
  finding: {description: What is missing., label: Missing}
  flights: {description: Flights that it concerns., label: Flights, format: ",d"}
metrics:
  flights_sum: {expression: sum(flights), label: Flights, description: Flights that lack something; one may lack several things., format: ",d"}
*/
with counted as (
  select
    count(*) filter (where a.faa is null) as no_airport,
    count(*) filter (where f.tail_number is not null and p.tail_number is null) as no_registry,
    count(*) filter (where f.tail_number is null) as no_aircraft,
    count(*) filter (where f.status = 'DIVERTED' and f.arrived_at is null) as no_arrival,
    count(*) filter (where w.observed_at is null) as no_weather
  from fact_flights f
  left join dim_airports a on a.faa = f.destination
  left join dim_planes p on p.tail_number = f.tail_number
  left join fact_weather w on w.origin = f.origin and w.observed_at = date_trunc('hour', f.scheduled_departure)
)
select found.finding, found.flights
from counted c
cross join lateral (
  values
    ('destination is not in the airports'' list', c.no_airport),
    ('aircraft is not in the registry', c.no_registry),
    ('no aircraft assigned', c.no_aircraft),
    ('diverted and never arrived', c.no_arrival),
    ('no weather observed', c.no_weather)
) as found (finding, flights);
