/*
title: Services
description: >-
  Services as the workshop was told of them, one row per service done. Each event counts once, whichever filters it has passed
  and however often it came. What should be a number and is none is empty.
time_column: created_at
columns:
  created_at: {description: "When it was done (UTC); where the event does not say, when it was received.", label: At}
  service_id: {description: Which service., label: Service}
  dealer_id: {description: Which workshop did it., label: Dealer}
  dealer_name: {description: Its name., label: Workshop}
  service_type: {description: What kind of work., label: Kind}
  amount: {description: What was paid for it., label: Paid, format: "$,.0f"}
  mileage: {description: What the car had run., label: Mileage, format: ","}
  service_date: {description: The day that it names., label: Day}
  details: {description: What was done., label: Details}
metrics:
  services: {expression: count(*), label: Services, description: Services done., format: ","}
  revenue: {expression: sum(amount), label: Revenue, description: What was paid for services., format: "$,.0f"}
  amount_avg: {expression: avg(amount), label: A service, description: What a service costs on average., format: "$,.2f"}
*/
select distinct on (coalesce(event_uuid, origin))
  coalesce(created_at, received_at) as created_at,
  entity_id as service_id,
  service ->> 'dealerId' as dealer_id,
  service ->> 'dealerName' as dealer_name,
  service ->> 'serviceType' as service_type,
  case when jsonb_typeof(service -> 'amountPaid') = 'number' then (service ->> 'amountPaid')::numeric end as amount,
  case when jsonb_typeof(service -> 'mileageAtService') = 'number' then (service ->> 'mileageAtService')::numeric end as mileage,
  service ->> 'serviceDate' as service_date,
  service ->> 'description' as details
from received_events
cross join lateral (select event #> '{eventBody,entities,0,updatedAttributes,service}' as service) as told
where event_name = 'CarServiceDone'
order by coalesce(event_uuid, origin), received_at;
