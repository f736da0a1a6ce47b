/*
title: Cars
description: >-
  Cars as sales was told of them, one row per new car. Each event counts once, whichever filters it has passed and however often
  it came. What should be a number and is none is empty.
time_column: created_at
columns:
  created_at: {description: "When the dealership got it (UTC); where the event does not say, when it was received.", label: At}
  car_id: {description: Which car., label: Car}
  make: {description: Who made it., label: Make}
  model: {description: Which model., label: Model}
  built: {description: In which year it was built., label: Built, format: ".0f"}
  color: {description: Its color., label: Color}
  mileage: {description: What it has run., label: Mileage, format: ","}
  owner: {description: Which customer owns it., label: Owner}
  balance: {description: What is still to be paid for it., label: Balance, format: "$,.0f"}
metrics:
  cars: {expression: count(*), label: Cars, description: New cars., format: ","}
  balance_sum: {expression: sum(balance), label: Balance, description: What is still to be paid for new cars., format: "$,.0f"}
*/
select distinct on (coalesce(event_uuid, origin))
  coalesce(created_at, received_at) as created_at,
  entity_id as car_id,
  attributes ->> 'make' as make,
  attributes ->> 'model' as model,
  case when jsonb_typeof(attributes -> 'year') = 'number' then (attributes ->> 'year')::numeric end as built,
  attributes ->> 'color' as color,
  case when jsonb_typeof(attributes -> 'mileage') = 'number' then (attributes ->> 'mileage')::numeric end as mileage,
  attributes ->> 'owner' as owner,
  case when jsonb_typeof(attributes -> 'totalBalance') = 'number' then (attributes ->> 'totalBalance')::numeric end as balance
from received_events
cross join lateral (select event #> '{eventBody,entities,0,updatedAttributes}' as attributes) as told
where event_name = 'CarCreated'
order by coalesce(event_uuid, origin), received_at;
