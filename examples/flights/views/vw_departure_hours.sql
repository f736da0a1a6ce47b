/*
title: Departure hours
description: One row per flight with how late it left and the hour and weekday at which it is scheduled, on New York's clocks.
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
select
  flight_date,
  to_char(scheduled_local, 'ID Dy') as weekday,
  to_char(scheduled_local, 'HH24:00') as hour,
  airline,
  origin,
  1::bigint as flights,
  (departure_delay is not null)::int::bigint as departed,
  coalesce(departure_delay, 0)::bigint as departure_delay_minutes
from flight_log;
