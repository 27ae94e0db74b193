"""What records come in: languages, emphases and layers, and what is no place; names without records."""

from __future__ import annotations

from typing import Final, Literal, get_args

from geodata.city import list_layers, read_city

CITY: Final = read_city().id  # the id of the whole city
SEA: Final = "sea"  # in place of a place: what is no land


LANGUAGES: Final = read_city().languages  # of every text; the first is the plan's

Emphasis = Literal[  # the plan's own grades, strongest first; no two of its verbs that differ share one
    "lead",  # 主导
    "key",  # 重点发展, 重点开展
    "cultivate",  # 重点培育
    "strengthen",  # 做大做强, 做优做强
    "breakthrough",  # 突破
    "vigorous",  # 大力发展
    "mainly",  # 以…为主
    "theme",  # 以…为建设主题
    "develop",  # 发展
    "build",  # 构建, 打造, 建设
    "upgrade",  # 提升
    "emphasise",  # 注重
    "drive",  # 带动
    "host",  # 承接, 承担
]
EMPHASES: Final[tuple[str, ...]] = get_args(Emphasis)
PLACE_LAYERS: Final = list_layers("zones", "areas")  # of places with a polygon that the plan names
AREA_LAYERS: Final = list_layers("areas")
POINT_LAYERS: Final = list_layers("platforms", "gateways")  # of what is known as a point at most
