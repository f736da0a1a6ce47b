/*
title: Punctuality
description: >-
  One row per flight with 1 for what became of it and 0 for what did not, to be added up over any days, airlines and airports.
  Shares and averages are totals divided by totals.
time_column: flight_date
columns:
  flight_date: {description: Day of the scheduled departure in New York., label: Day}
  airline: {description: The airline., label: Airline}
  origin: {description: The airport they leave., label: From}
  flights: {description: All scheduled flights., label: Flights, format: ",d"}
  closed: {description: "Cancelled, diverted or arrived.", label: Closed, format: ",d"}
  on_time: {description: Arrived less than 15 minutes late., label: On time, format: ",d"}
  late: {description: Arrived 15 minutes late or more., label: Late, format: ",d"}
  diverted: {description: Left and did not arrive as planned., label: Diverted, format: ",d"}
  cancelled: {description: Given up without a departure time., label: Cancelled, format: ",d"}
  departed: {description: Left., label: Departed, format: ",d"}
  departure_delay_minutes: {description: "Sum of the minutes they left late, those early being negative.", label: "Departure delay, min", format: ",d"}
  arrived: {description: "Arrived, diverted ones not counted.", label: Arrived, format: ",d"}
  arrival_delay_minutes: {description: "Sum of the minutes they arrived late, those early being negative.", label: "Arrival delay, min", format: ",d"}
metrics:
  flights_sum: {expression: sum(flights), label: Flights, description: "All scheduled flights, whatever became of them.", format: ",d"}
  on_time_share: {expression: "sum(on_time) / nullif(sum(closed), 0)", label: On time, description: Flights that arrived less than 15 minutes late divided by closed flights., format: ".1%"}
  late_share: {expression: "sum(late) / nullif(sum(closed), 0)", label: Late, description: Flights that arrived 15 minutes late or more divided by closed flights., format: ".1%"}
  cancelled_share: {expression: "sum(cancelled) / nullif(sum(closed), 0)", label: Cancelled, description: Cancelled flights divided by closed flights., format: ".1%"}
  cancelled_sum: {expression: sum(cancelled), label: Cancelled, description: Flights given up without a departure time., format: ",d"}
  diverted_sum: {expression: sum(diverted), label: Diverted, description: Flights that left and did not arrive as planned., format: ",d"}
  departure_delay: {expression: "sum(departure_delay_minutes) / nullif(sum(departed), 0)", label: "Departure delay, min", description: "Minutes that flights left late, early ones counted as negative, divided by the flights that left.", format: ",.1f"}
  arrival_delay: {expression: "sum(arrival_delay_minutes) / nullif(sum(arrived), 0)", label: "Arrival delay, min", description: "Minutes that flights arrived late, early ones counted as negative, divided by the flights that arrived.", format: ",.1f"}
*/
select
  flight_date,
  airline,
  origin,
  1::bigint as flights,
  is_closed::int::bigint as closed,
  (outcome = 'On time')::int::bigint as on_time,
  (outcome = 'Late')::int::bigint as late,
  (outcome = 'Diverted')::int::bigint as diverted,
  (outcome = 'Cancelled')::int::bigint as cancelled,
  (departure_delay is not null)::int::bigint as departed,
  coalesce(departure_delay, 0)::bigint as departure_delay_minutes,
  (arrival_delay is not null)::int::bigint as arrived,
  coalesce(arrival_delay, 0)::bigint as arrival_delay_minutes
from flight_log;
