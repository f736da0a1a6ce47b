/*
title: Aircraft use
description: >-
  What each airline did with each aircraft from New York, over all days. A flight counts when it left; flights for which no
  aircraft is known count under (none), aircraft that are not in the registry under (not in the registry).
columns:
  tail_number: {description: "Registration, or (none).", label: Aircraft}
  airline: {description: The airline that flew it., label: Airline}
  manufacturer: {description: "Manufacturer as registered, or (not in the registry).", label: Manufacturer}
  model: {description: "Model as registered, or (not in the registry).", label: Model}
  built: {description: "Year of manufacture, empty if not known."}
  seats: {description: "Seats, empty if not known.", label: Seats, format: ",d"}
  departures: {description: Flights that left., label: Departures, format: ",d"}
  days_used: {description: Days with at least one of them., label: Days used, format: ",d"}
  miles: {description: Miles of these flights., label: Miles, format: ",d"}
  air_hours: {description: "Hours in the air, where reported.", label: Air hours, format: ",.1f"}
metrics:
  aircraft: {expression: count(distinct tail_number) filter (where tail_number <> '(none)'), label: Aircraft, description: Aircraft that left New York at least once., format: ",d"}
  departures_sum: {expression: sum(departures), label: Departures, description: Flights that left., format: ",d"}
  departures_per_day: {expression: "sum(departures) / nullif(sum(days_used), 0)", label: Departures per day used, description: Flights that left divided by the days on which their aircraft was used., format: ",.2f"}
  miles_sum: {expression: sum(miles), label: Miles, description: Miles of the flights that left., format: ",.3s"}
  air_hours_sum: {expression: sum(air_hours), label: Air hours, description: "Hours in the air, where reported.", format: ",d"}
*/
with used as (
  select
    tail_number,
    airline,
    count(*) as departures,
    count(distinct flight_date) as days_used,
    coalesce(sum(distance), 0) as miles,
    coalesce(sum(air_minutes), 0) / 60.0 as air_hours
  from flight_log
  where departure_delay is not null
  group by tail_number, airline
)
select
  u.tail_number,
  u.airline,
  coalesce(p.manufacturer, '(not in the registry)') as manufacturer,
  coalesce(p.model, '(not in the registry)') as model,
  p.built,
  p.seats,
  u.departures,
  u.days_used,
  u.miles,
  u.air_hours
from used u
left join dim_planes p on p.tail_number = u.tail_number;
