/*
title: Flights
description: >-
  One row per scheduled flight, with every definition that the other views share. Cancelled: given up without a departure
  time. On time: arrived less than 15 minutes late, as the US Department of Transportation counts. Closed: cancelled, diverted or
  arrived, so that a flight still to come or in the air counts neither for nor against its airline. Nothing is left out: an
  airline, airport or aircraft that is on no list appears under its code.
time_column: flight_date
columns:
  flight_id: Identity of the flight.
  flight_date: {description: Day of the scheduled departure in New York., label: Day}
  scheduled_local: {description: Scheduled departure on New York's clocks., label: Scheduled}
  flight: {description: Airline's code and number of the flight., label: Flight}
  airline: {description: "Name of the airline, or its code if it is on no list.", label: Airline}
  origin: {description: "Airport it leaves: EWR Newark, JFK Kennedy, LGA LaGuardia.", label: From}
  destination: {description: Code of the airport it is bound for., label: To}
  destination_name: {description: "Name of that airport, or its code if it is on no list.", label: Destination}
  tail_number: {description: "The aircraft; (none) until one is assigned.", label: Aircraft}
  outcome:
    description: "On time, Late, Diverted or Cancelled if closed; else Scheduled or In the air."
    label: Outcome
    colors: {On time: "#2f8f5b", Late: "#d48806", Diverted: "#7a6fc4", Cancelled: "#d4380d", Scheduled: "#8a8f98", In the air: "#1a87ab"}
  departure_delay: {description: "Minutes it left late, negative if early; empty until it left.", label: "Left late, min", format: ",d"}
  arrival_delay: {description: "Minutes it arrived late, negative if early; empty until it arrived, and if diverted.", label: "Arrived late, min", format: ",d"}
  distance: {description: Miles between the airports., label: Miles, format: ",d"}
  air_minutes: {description: Minutes in the air; empty if not reported., label: "In the air, min", format: ",d"}
  scheduled_departure: "Scheduled departure (UTC)."
  is_closed: Whether it is cancelled, diverted or arrived.
metrics:
  flights: {expression: count(*), label: Flights, description: "All scheduled flights, whatever became of them.", format: ",d"}
  on_time_share: {expression: "count(*) filter (where outcome = 'On time') * 1.0 / nullif(count(*) filter (where is_closed), 0)", label: On time, description: Flights that arrived less than 15 minutes late divided by closed flights., format: ".1%"}
*/
select
  f.id as flight_id,
  f.scheduled_local::date as flight_date,
  f.scheduled_local,
  concat(f.carrier, ' ', f.flight_number) as flight,
  coalesce(l.name, f.carrier) as airline,
  f.origin,
  f.destination,
  coalesce(d.name, f.destination) as destination_name,
  coalesce(f.tail_number, '(none)') as tail_number,
  case
    when f.status = 'ARRIVED' then case when f.arrival_delay < 15 then 'On time' else 'Late' end
    when f.status = 'CANCELLED' then 'Cancelled'
    when f.status = 'DIVERTED' then 'Diverted'
    when f.status = 'DEPARTED' then 'In the air'
    else 'Scheduled'
  end as outcome,
  f.departure_delay,
  f.arrival_delay,
  f.distance,
  f.air_minutes,
  f.scheduled_departure,
  coalesce(f.status in ('ARRIVED', 'CANCELLED', 'DIVERTED'), false) as is_closed
from fact_flights f
left join dim_airlines l on l.carrier = f.carrier
left join dim_airports d on d.faa = f.destination;
