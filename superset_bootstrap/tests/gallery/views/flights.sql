/*
title: Flights
description: Invented departures.
time_column: departed
columns:
  departed: {description: Hour of departure., label: Departed}
  hour: {description: Hour of the day., label: Hour}
  weekday: {description: Day of the week., label: Weekday}
  carrier: {description: Carrier., label: Carrier, colors: {UA: "#1a87ab", DL: "#c2577a", AA: "#3fa66b", B6: "#c9a227"}}
  origin: {description: From., label: From}
  dest: {description: To., label: To}
  status: {description: On time or late., label: Status, colors: {On time: "#3fa66b", Late: "#d48806", Cancelled: "#d4380d"}}
  delay: {description: Minutes late., label: "Delay, min", format: ",.0f"}
metrics:
  flights: {expression: count(*), label: Flights, description: Departures., format: ",d"}
  delay_mean: {expression: avg(delay), label: "Mean delay, min", description: Sum of delays by flights., format: ",.1f"}
  on_time: {expression: "avg((status = 'On time')::int)", label: On-time share, description: Share., format: ".1%"}
*/
select
  timestamp '2026-01-01 05:00' + make_interval(hours => (n / 12)::int) as departed,
  lpad((extract(hour from timestamp '2026-01-01 05:00' + make_interval(hours => (n / 12)::int)))::text, 2, '0') as hour,
  to_char(timestamp '2026-01-01 05:00' + make_interval(hours => (n / 12)::int), 'ID Dy') as weekday,
  (array['UA', 'UA', 'UA', 'DL', 'DL', 'AA', 'AA', 'B6', 'EV', 'MQ', 'US', 'WN', 'FL', 'AS', 'F9'])[1 + (n * 7919) % 15] as carrier,
  (array['JFK', 'LGA', 'EWR'])[1 + (n * 104729) % 3] as origin,
  (array['ORD', 'ATL', 'LAX', 'BOS', 'MCO', 'SFO', 'MIA', 'SEA'])[1 + ((n * 31) % 13) % 8] as dest,
  case when (n * 6007) % 41 = 0 then 'Cancelled' when (n * 2741) % 9 < 2 then 'Late' else 'On time' end as status,
  round((8 + 25 * sin(n / 700.0) + ((n * 6151) % 97 - 40) * (0.5 + ((n * 7919) % 15) / 10.0))::numeric, 0) as delay
from generate_series(0, 17000) as s (n) left join pulse as p on false
