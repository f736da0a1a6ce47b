/*
title: Weather
description: >-
  One row per flight with the weather at its airport in the hour of its scheduled departure. The first that fits counts:
  visibility under 3 miles, rain or snow, wind of 20 miles an hour or more, else fair. A flight in an hour without an
  observation is listed as such.
time_column: flight_date
columns:
  flight_date: {description: Day of the scheduled departure in New York., label: Day}
  airline: {description: The airline., label: Airline}
  origin: {description: The airport they leave., label: From}
  weather: {description: "Low visibility, Rain or snow, Strong wind, Fair, or (no observation).", label: Weather}
  flights: {description: All scheduled flights., label: Flights, format: ",d"}
  closed: {description: "Cancelled, diverted or arrived.", label: Closed, format: ",d"}
  on_time: {description: Arrived less than 15 minutes late., label: On time, format: ",d"}
  cancelled: {description: Given up without a departure time., label: Cancelled, format: ",d"}
  departed: {description: Left., label: Departed, format: ",d"}
  departure_delay_minutes: {description: "Sum of the minutes they left late, those early being negative.", label: "Departure delay, min", format: ",d"}
metrics:
  flights_sum: {expression: sum(flights), label: Flights, description: All scheduled flights., format: ",d"}
  departure_delay: {expression: "sum(departure_delay_minutes) / nullif(sum(departed), 0)", label: "Departure delay, min", description: "Minutes that flights left late, early ones counted as negative, divided by the flights that left.", format: ",.1f"}
  cancelled_share: {expression: "sum(cancelled) / nullif(sum(closed), 0)", label: Cancelled, description: Cancelled flights divided by closed flights., format: ".1%"}
  on_time_share: {expression: "sum(on_time) / nullif(sum(closed), 0)", label: On time, description: Flights that arrived less than 15 minutes late divided by closed flights., format: ".1%"}
*/
select
  f.flight_date,
  f.airline,
  f.origin,
  case
    when w.visibility < 3 then 'Low visibility'
    when w.precipitation > 0 then 'Rain or snow'
    when w.wind_speed >= 20 then 'Strong wind'
    when w.observed_at is not null then 'Fair'
    else '(no observation)'
  end as weather,
  1::bigint as flights,
  f.is_closed::int::bigint as closed,
  (f.outcome = 'On time')::int::bigint as on_time,
  (f.outcome = 'Cancelled')::int::bigint as cancelled,
  (f.departure_delay is not null)::int::bigint as departed,
  coalesce(f.departure_delay, 0)::bigint as departure_delay_minutes
from flight_log f
left join fact_weather w on w.origin = f.origin and w.observed_at = date_bin('1 hour', f.scheduled_departure, '2000-01-01Z');
