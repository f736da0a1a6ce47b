/*
title: Delay bands
description: One row per arrived flight with how late it arrived.
time_column: flight_date
columns:
  flight_date: {description: Day of the scheduled departure in New York., label: Day}
  airline: {description: The airline., label: Airline}
  origin: {description: The airport they leave., label: From}
  delay_band: {description: "How late they arrived, earliest first.", label: Arrival}
  flights: {description: Arrived flights., label: Flights, format: ",d"}
metrics:
  flights_sum: {expression: sum(flights), label: Flights, description: "Arrived flights; diverted and cancelled ones never arrived as planned.", format: ",d"}
*/
select
  flight_date,
  airline,
  origin,
  case
    when arrival_delay < -15 then '1 · over 15 min early'
    when arrival_delay < 0 then '2 · up to 15 min early'
    when arrival_delay < 15 then '3 · 0–14 min late'
    when arrival_delay < 30 then '4 · 15–29 min late'
    when arrival_delay < 60 then '5 · 30–59 min late'
    when arrival_delay < 120 then '6 · 1–2 h late'
    else '7 · over 2 h late'
  end as delay_band,
  1::bigint as flights
from flight_log
where arrival_delay is not null;
