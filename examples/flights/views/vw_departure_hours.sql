/*
title: Departure hours
description: How late flights leave by the hour and weekday at which they are scheduled, on New York's clocks.
time_column: flight_date
columns:
  flight_date: {description: Day of the scheduled departure in New York., label: Day}
  weekday: {description: Day of the week., label: Weekday}
  hour: {description: Hour of the scheduled departure in New York., label: Hour}
  airline: {description: The airline., label: Airline}
  origin: {description: The airport they leave., label: From}
  flights: {description: All scheduled flights., label: Flights, format: ",d"}
  departed: {description: Left., label: Departed, format: ",d"}
  departure_delay_minutes: {description: "Sum of the minutes they left late, those early being negative.", label: "Departure delay, min", format: ",d"}
metrics:
  flights_sum: {expression: sum(flights), label: Flights, description: All scheduled flights., format: ",d"}
  departure_delay: {expression: "sum(departure_delay_minutes) / nullif(sum(departed), 0)", label: "Departure delay, min", description: "Minutes that flights left late, early ones counted as negative, divided by the flights that left.", format: ",.1f"}
*/
with hours as (
  select
    flight_date,
    date_part('hour', scheduled_local) as hour,
    airline,
    origin,
    count(*) as flights,
    count(departure_delay) as departed,
    coalesce(sum(departure_delay), 0) as departure_delay_minutes
  from flight_log
  group by 1, 2, 3, 4
)
select
  flight_date,
  to_char(flight_date, 'ID Dy') as weekday,
  to_char(hour, 'FM00":00"') as hour,
  airline,
  origin,
  flights,
  departed,
  departure_delay_minutes
from hours;
