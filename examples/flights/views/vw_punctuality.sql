/*
title: Punctuality
description: >-
  Flights of each day, airline and airport, and how many kept their time. Shares and averages over several rows are totals
  divided by totals.
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
  count(*) as flights,
  count(*) filter (where is_closed) as closed,
  count(*) filter (where outcome = 'On time') as on_time,
  count(*) filter (where outcome = 'Late') as late,
  count(*) filter (where outcome = 'Diverted') as diverted,
  count(*) filter (where outcome = 'Cancelled') as cancelled,
  count(departure_delay) as departed,
  coalesce(sum(departure_delay), 0) as departure_delay_minutes,
  count(arrival_delay) as arrived,
  coalesce(sum(arrival_delay), 0) as arrival_delay_minutes
from flight_log
group by flight_date, airline, origin;
