/*
title: Airports
description: Invented traffic.
columns:
  airport: {description: Airport., label: Airport}
  region: {description: Region., label: Region, colors: {East: "#1a87ab", West: "#c2577a", South: "#c9a227", Middle: "#3fa66b"}}
  longitude: {description: East., label: Longitude}
  latitude: {description: North., label: Latitude}
  from_longitude: {description: East.}
  from_latitude: {description: North.}
  passengers: {description: Flights., label: Flights, format: ",d"}
metrics:
  flights: {expression: sum(passengers), label: Flights, description: Flights., format: ",d"}
  lon: {expression: max(longitude), label: Longitude, description: East., format: ",.0f"}
  lat: {expression: max(latitude), label: Latitude, description: North., format: ",.0f"}
*/
select airport, region, longitude, latitude, -73.78 as from_longitude, 40.64 as from_latitude, passengers
from (values
  ('ORD', 'Middle', -87.90, 41.97, 17283), ('ATL', 'South', -84.43, 33.64, 17215), ('LAX', 'West', -118.41, 33.94, 16174),
  ('BOS', 'East', -71.00, 42.36, 15508), ('MCO', 'South', -81.31, 28.43, 14082), ('CLT', 'South', -80.94, 35.21, 14064),
  ('SFO', 'West', -122.37, 37.62, 13331), ('FLL', 'South', -80.15, 26.07, 12055), ('MIA', 'South', -80.29, 25.79, 11728),
  ('DEN', 'Middle', -104.67, 39.86, 7266), ('SEA', 'West', -122.31, 47.45, 3923), ('MSP', 'Middle', -93.22, 44.88, 7185),
  ('DFW', 'South', -97.04, 32.90, 8738), ('PHX', 'West', -112.01, 33.43, 4656), ('HNL', 'West', -157.92, 21.32, 707)
) as t (airport, region, longitude, latitude, passengers) left join pulse as p on false
