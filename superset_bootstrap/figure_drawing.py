"""How heat maps, distributions, bubbles, shares within shares, flows and maps are drawn, in Superset's options. Pure."""

import json

from project.figure_charts import BoxPlot, Heatmap, Histogram, Map, Routes, Sankey, Scatter, Treemap
from project.models import View
from superset_bootstrap.formats import Params


def heatmap(chart: Heatmap) -> Params:
    return {
        "x_axis": chart.x,
        "groupby": chart.y,
        "metric": chart.metric,
        "row_limit": chart.limit,
        "sort_x_axis": "alpha_asc",
        "sort_y_axis": "alpha_desc",  # the axis runs upwards: the first value stands on top
        "normalize_across": "heatmap",
        "linear_color_scheme": "superset_seq_1",
        "legend_type": "continuous",
        "show_legend": True,
        "show_percentage": False,
        "show_values": chart.values,
        "xscale_interval": -1,
        "yscale_interval": -1,
        "left_margin": "auto",
        "bottom_margin": 50,  # auto cuts the labels off
        "value_bounds": [None, None],
    }


def histogram(chart: Histogram, view: View) -> Params:
    return {
        "column": chart.x,
        "groupby": [chart.dimension] if chart.dimension else [],
        "bins": chart.bins,
        "row_limit": chart.limit,
        "normalize": False,
        "cumulative": False,
        "show_value": False,
        "show_legend": chart.dimension is not None,
        "x_axis_title": view.columns[chart.x].label or "",
        "y_axis_title": "Rows",
        "x_axis_format": view.columns[chart.x].format or ",.0f",
        "y_axis_format": chart.format,
    }


def box_plot(chart: BoxPlot, view: View) -> Params:
    return {
        "columns": [chart.across],
        "groupby": [chart.x],
        "metrics": [chart.metric],
        "row_limit": chart.limit,
        "whiskerOptions": "Tukey",
        "x_ticks_layout": "auto",
        "zoomable": False,
        "y_axis_title": view.metrics[chart.metric].label,
        "y_axis_title_margin": 50,
        "y_axis_title_position": "Left",
    }


def scatter(chart: Scatter, view: View) -> Params:
    across, up = view.metrics[chart.x_metric], view.metrics[chart.y_metric]
    return {
        "entity": chart.dimension,
        "series": chart.color_by,
        "x": chart.x_metric,
        "y": chart.y_metric,
        "size": chart.size_metric,
        "limit": chart.limit,
        "row_limit": chart.limit,
        "orderby": json.dumps(chart.size_metric),  # Superset reads a text there as JSON
        "order_desc": True,
        "max_bubble_size": "25",
        "tooltipSizeFormat": view.metrics[chart.size_metric].format,
        "opacity": 0.6,
        "show_legend": True,
        "legendOrientation": "top",
        "legendType": "scroll",
        "x_axis_label": across.label,
        "x_axis_title_margin": 30,
        "y_axis_label": up.label,
        "y_axis_title_margin": 50,
        "xAxisFormat": chart.x_format or across.format,
        "y_axis_format": chart.format or up.format,
        "truncateXAxis": True,
        "truncateYAxis": True,
    }


def treemap(chart: Treemap) -> Params:
    return {
        "groupby": list(chart.dimensions),
        "metric": chart.metric,
        "row_limit": chart.limit,
        "sort_by_metric": True,  # else the first by name would stay within the limit
        "show_labels": True,
        "show_upper_labels": len(chart.dimensions) > 1,
        "label_type": "key_value",
    }


def sankey(chart: Sankey) -> Params:
    start, end = chart.dimensions
    return {"source": start, "target": end, "metric": chart.metric, "row_limit": chart.limit, "sort_by_metric": True}


# No tiles and no style: a map is drawn on a plain ground, and nothing is asked of other hosts.
_GROUND: Params = {
    "mapbox_style": "",
    "autozoom": True,
    "viewport": {"longitude": 0, "latitude": 30, "zoom": 1, "bearing": 0, "pitch": 0},
    "color_scheme_type": "categorical_palette",
    "legend_position": "tl",
    "legend_format": None,
    "js_columns": [],
}


def map_of_points(chart: Map) -> Params:
    return {
        "spatial": _place(chart.longitude, chart.latitude),
        "dimension": chart.dimension,
        "point_radius_fixed": {"type": "metric", "value": chart.metric},
        "point_unit": "square_km",  # the metric is the area: twice as much looks twice as much
        "multiplier": chart.scale,
        "min_radius": 3,
        "max_radius": 40,
        "row_limit": chart.limit,
        **_GROUND,
    }


def routes(chart: Routes) -> Params:
    grey = {"r": 138, "g": 143, "b": 152, "a": 1}
    return {
        "start_spatial": _place(chart.from_longitude, chart.from_latitude),
        "end_spatial": _place(chart.to_longitude, chart.to_latitude),
        "dimension": chart.dimension,
        "color_picker": grey,
        "target_color_picker": grey,
        "stroke_width": 3,
        "row_limit": chart.limit,
        **_GROUND,
    }


def _place(longitude: str, latitude: str) -> Params:
    return {"type": "latlong", "lonCol": longitude, "latCol": latitude}
