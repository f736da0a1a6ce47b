-- One batch of events; each statement is one kind, in the order in which a flight goes through them.
insert into flights (id, carrier, flight_number, origin, destination, distance, scheduled_local, scheduled_departure, scheduled_arrival)
select id, carrier, flight_number, origin, destination, distance, scheduled_local, scheduled_departure, scheduled_arrival
from replay.flights join replay.events on flight = id
where kind = 1 and number > %(after)s and number <= %(last)s
order by number;

update flights f set tail_number = r.tail_number
from replay.flights r join replay.events e on e.flight = r.id
where f.id = r.id and e.kind = 2 and e.number > %(after)s and e.number <= %(last)s;

update flights f set
  status = case when r.departed_at is null then 'CANCELLED' else 'DEPARTED' end,
  departed_at = r.departed_at,
  departure_delay = r.departure_delay
from replay.flights r join replay.events e on e.flight = r.id
where f.id = r.id and e.kind = 3 and e.number > %(after)s and e.number <= %(last)s;

update flights f set
  status = case when r.arrival_delay is null then 'DIVERTED' else 'ARRIVED' end,
  arrived_at = r.arrived_at,
  arrival_delay = r.arrival_delay,
  air_minutes = r.air_minutes
from replay.flights r join replay.events e on e.flight = r.id
where f.id = r.id and e.kind = 4 and e.number > %(after)s and e.number <= %(last)s;
