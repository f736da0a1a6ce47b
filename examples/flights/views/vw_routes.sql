/*
title: Routes
description: >-
  Each airline's flights on each route, over all days. Four destinations in Puerto Rico and the US Virgin Islands are not in
  the airports' list: they count under their code and are not on the map.
columns:
  route: {description: From where to where., label: Route}
  origin: {description: The airport they leave., label: From}
  destination: {description: Code of the airport they are bound for., label: To}
  destination_name: {description: "Name of that airport, or its code if it is on no list.", label: Destination}
  airline: {description: The airline., label: Airline}
  latitude: "Of the destination, in degrees north; empty if it is on no list."
  longitude: "Of the destination, in degrees east; empty if it is on no list."
  distance: {description: Miles between the airports., label: Miles, format: ",d"}
  flights: {description: All scheduled flights., label: Flights, format: ",d"}
  closed: {description: "Cancelled, diverted or arrived.", label: Closed, format: ",d"}
  on_time: {description: Arrived less than 15 minutes late., label: On time, format: ",d"}
  cancelled: {description: Given up without a departure time., label: Cancelled, format: ",d"}
  arrived: {description: "Arrived, diverted ones not counted.", label: Arrived, format: ",d"}
  arrival_delay_minutes: {description: "Sum of the minutes they arrived late, those early being negative.", label: "Arrival delay, min", format: ",d"}
  destination_on_time:
    description: "On time share of all airlines' flights to the destination: under 70 %, 70 to 75 %, 75 to 80 %, over 80 %, or (none closed)."
    label: On time there
    colors: {under 70 %: "#d4380d", 70 to 75 %: "#d48806", 75 to 80 %: "#7fb069", over 80 %: "#2f8f5b", (none closed): "#8a8f98"}
  on_time_share: {description: On time divided by closed. Do not add it up., label: On time share, format: ".1%"}
metrics:
  flights_sum: {expression: sum(flights), label: Flights, description: All scheduled flights., format: ",d"}
  destinations: {expression: count(distinct destination), label: Destinations, description: Airports that flights are bound for., format: ",d"}
  route_count: {expression: count(distinct route), label: Routes, description: Pairs of airports., format: ",d"}
  on_time_share: {expression: "sum(on_time) / nullif(sum(closed), 0)", label: On time, description: Flights that arrived less than 15 minutes late divided by closed flights., format: ".1%"}
  arrival_delay: {expression: "sum(arrival_delay_minutes) / nullif(sum(arrived), 0)", label: "Arrival delay, min", description: "Minutes that flights arrived late, early ones counted as negative, divided by the flights that arrived.", format: ",.1f"}
*/
with routes as (
  select
    origin,
    destination,
    airline,
    max(distance) as distance,
    count(*) as flights,
    count(*) filter (where is_closed) as closed,
    count(*) filter (where outcome = 'On time') as on_time,
    count(*) filter (where outcome = 'Cancelled') as cancelled,
    count(arrival_delay) as arrived,
    coalesce(sum(arrival_delay), 0) as arrival_delay_minutes
  from flight_log
  group by origin, destination, airline
),
rated as (
  select *, sum(on_time) over (partition by destination) / nullif(sum(closed) over (partition by destination), 0) as share
  from routes
)
select
  concat(r.origin, ' → ', r.destination) as route,
  r.origin,
  r.destination,
  coalesce(a.name, r.destination) as destination_name,
  r.airline,
  a.latitude,
  a.longitude,
  r.distance,
  r.flights,
  r.closed,
  r.on_time,
  r.cancelled,
  r.arrived,
  r.arrival_delay_minutes,
  case
    when r.share < 0.7 then 'under 70 %'
    when r.share < 0.75 then '70 to 75 %'
    when r.share < 0.8 then '75 to 80 %'
    when r.share >= 0.8 then 'over 80 %'
    else '(none closed)'
  end as destination_on_time,
  r.on_time::numeric / nullif(r.closed, 0) as on_time_share
from rated r
left join dim_airports a on a.faa = r.destination;
