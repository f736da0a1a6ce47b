"""How Superset looks on this platform: name, mark and colours, in light and in dark."""

import base64

_MARK = (
    "<path d='M4 25c5 0 5-4 10-4s5 4 10 4 5-4 10-4' stroke='{accent}'/>"
    "<path d='M4 17c5 0 5-4 10-4s5 4 10 4 5-4 10-4' stroke='{ink}'/>"
)
_LOGO = (
    "<svg xmlns='http://www.w3.org/2000/svg' width='178' height='38' viewBox='0 0 178 38'>"
    "<g fill='none' stroke-width='4' stroke-linecap='round'>" + _MARK + "</g>"
    "<text x='46' y='27' font-family='Inter,Helvetica,Arial,sans-serif' font-size='23' font-weight='600' fill='{ink}'>Headrace</text></svg>"
)
_ICON = (
    "<svg xmlns='http://www.w3.org/2000/svg' width='38' height='38' viewBox='0 0 38 38'>"
    "<g fill='none' stroke-width='4' stroke-linecap='round'>" + _MARK + "</g></svg>"
)

# The same mark, flowing, while a page or a chart loads.
_FLOW = "<animate attributeName='stroke-dashoffset' from='48' to='0' dur='1.2s' repeatCount='indefinite'/>"
_SPINNER = (
    "<svg xmlns='http://www.w3.org/2000/svg' width='48' height='48' viewBox='0 0 38 38'>"
    "<g fill='none' stroke-width='4' stroke-linecap='round' stroke-dasharray='16 8'>"
    + _MARK.replace("/>", ">" + _FLOW + "</path>")
    + "</g></svg>"
)


def _data_uri(svg: str, ink: str, accent: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg.format(ink=ink, accent=accent).encode()).decode()


FAVICON = _data_uri(_ICON, "#0b5d7a", "#1fa3a3")

_SHARED = {
    "brandAppName": "Headrace",
    "brandLogoAlt": "Headrace",
    "brandLogoHref": "/dashboard/list/",
    "brandLogoHeight": "26px",
    "brandLogoMargin": "16px 0",
    "fontUrls": [],
}
LIGHT = {
    "token": {
        **_SHARED,
        "brandLogoUrl": _data_uri(_LOGO, "#0b5d7a", "#1fa3a3"),
        "brandSpinnerSvg": _SPINNER.format(ink="#0b5d7a", accent="#1fa3a3"),
        "colorPrimary": "#0b6e8f",
        "colorLink": "#0b6e8f",
    },
    "algorithm": "default",
}
DARK = {
    "token": {
        **_SHARED,
        "brandLogoUrl": _data_uri(_LOGO, "#e6f3f7", "#35c4c4"),
        "brandSpinnerSvg": _SPINNER.format(ink="#e6f3f7", accent="#35c4c4"),
        # Lighter than in the light theme: links and buttons must stay legible on black.
        "colorPrimary": "#4fb8d8",
        "colorLink": "#6cc9e6",
    },
    "algorithm": "dark",
}
# Mid tones that hold against white and against black.
COLOR_SCHEME = {
    "id": "headrace",
    "description": "Headrace",
    "label": "Headrace",
    "isDefault": True,
    "colors": ["#1a87ab", "#e08a3c", "#3fa66b", "#c2577a", "#7a6fc4", "#c9a227", "#4aa8a0", "#8a8f98", "#b5654a", "#5b8dd6"],
}
