/*
title: Cancellations
description: >-
  Each day, airline and airport with at least one cancelled flight, and the worst of that day's weather at the airport.
  Weather is empty where nothing was observed.
time_column: flight_date
columns:
  flight_date: {description: Day of the scheduled departure in New York., label: Date}
  day: {description: The same with its weekday., label: Day}
  airline: {description: The airline., label: Airline}
  origin: {description: The airport they would have left., label: From}
  cancelled: {description: Given up without a departure time., label: Cancelled, format: ",d"}
  flights: {description: All scheduled flights of that day., label: Flights, format: ",d"}
  strongest_wind: {description: Strongest hourly wind of the day in miles per hour., label: "Wind, mph", format: ",.0f"}
  precipitation: {description: Rain and melted snow of the day in inches., label: "Rain or snow, in", format: ",.2f"}
  lowest_visibility: {description: Lowest hourly visibility of the day in miles., label: "Visibility, mi", format: ",.1f"}
metrics:
  cancelled_sum: {expression: sum(cancelled), label: Cancelled, description: Flights given up without a departure time., format: ",d"}
*/
with days as (
  select
    origin,
    (observed_at at time zone 'UTC' at time zone 'America/New_York')::date as flight_date,
    max(wind_speed) as strongest_wind,
    sum(precipitation) as precipitation,
    min(visibility) as lowest_visibility
  from fact_weather
  group by 1, 2
),
hit as (
  select flight_date, airline, origin, count(*) filter (where outcome = 'Cancelled') as cancelled, count(*) as flights
  from flight_log
  group by flight_date, airline, origin
  having count(*) filter (where outcome = 'Cancelled') > 0
)
select
  h.flight_date,
  to_char(h.flight_date, 'YYYY-MM-DD Dy') as day,
  h.airline,
  h.origin,
  h.cancelled,
  h.flights,
  d.strongest_wind,
  d.precipitation,
  d.lowest_visibility
from hit h
left join days d on d.origin = h.origin and d.flight_date = h.flight_date;
