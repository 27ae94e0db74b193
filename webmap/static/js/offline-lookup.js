/** What applies at a point, as layers/lookup.py answers it; positions are (lon, lat) in degrees, distances geodesic metres. */

import { rounded } from "./offline-numbers.js";

const METRES_PER_DEGREE = 110574;
const MARGIN = 1.1;
const NOT_STATED = "not-stated";
const LEAST_LIKELY = 0.5;
const OPEN_KEYS = ["id", "layer", "kind", "name", "url", "industries", "relation", "extent", "anchors", "note"];
const RADIANS = Math.PI / 180;

/** Return a function that answers what applies at (lon, lat), on tables whose geometries are flat lists of figures. */
export function createLookup(tables) {
  const { order, sharing, errors: table } = tables;
  const [places, edges] = [tables.places, tables.edges].map((rows) => rows.map(unpack));
  const [neighbour, window] = [tables.neighbour, tables.window].map(unpackRings);
  const reach = MARGIN * Math.max(...places.map(({ head }) => head.positional_accuracy_m));
  const edgeReach = MARGIN * Math.max(0, ...edges.map(({ head }) => head.accuracy_m)) * table.at(-1)[1];
  const edged = new Set(edges.flatMap(({ head }) => head.of));

  function answer(lon, lat) {
    const point = [lon, lat];
    const around = places.filter((place) => isNear(place.box, point, reach));
    const distances = new Map(around.map((place) => [place, distanceTo(point, place.rings)]));
    const met = around.map((place) => meet(place, point, distances.get(place))).filter(Boolean);
    met.sort((one, other) => order.indexOf(one.layer) - order.indexOf(other.layer) || byText(one.status, other.status) || one.distance_to_edge_m - other.distance_to_edge_m);
    const found = met.filter((row) => row.extent !== NOT_STATED);
    const inside = found.filter((row) => row.status === "inside");
    const covered = inside.some((row) => row.layer === "towns");
    const near = found.some((row) => row.layer === "counties");
    const { parts, accuracy } = measure(point, covered);
    const likely = weighAll(around, point, parts, distances);
    for (const row of found) row.likelihood_percent = likely.get(row.id) ?? null;
    return {
      lon,
      lat,
      where: where(point, covered, near),
      covered,
      uncertain: found.some((row) => row.uncertain),
      doubts: covered || near ? doubts(found) : [],
      likely: sharing.flatMap((layer) => rankLayer(layer, around, likely)),
      accuracy_m: accuracy === null ? null : rounded(accuracy, 0),
      applies: found,
      areas: met.filter((row) => row.extent === NOT_STATED).map(withoutExtent),
      nearest: inside.length ? null : nearest(point),
      gateways: gateways(point),
    };
  }

  function where(point, covered, near) {
    if (covered) return "city";
    if (near) return "edge";
    if (covers(neighbour, point)) return "neighbour";
    return covers(window, point) ? "sea" : "beyond";
  }

  /** Return how near the point is to the edge of each place around, in parts of that edge's accuracy. */
  function measure(point, onLand) {
    const parts = new Map();
    let [least, accuracy] = [Infinity, null];
    for (const { head, rings, box } of edges) {
      if (!isNear(box, point, edgeReach) || (onLand && head.coast)) continue;
      const part = distanceTo(point, rings) / Math.max(head.accuracy_m, 1e-3);
      if (part < least) [least, accuracy] = [part, head.accuracy_m];
      for (const place of head.of) parts.set(place, Math.min(part, parts.get(place) ?? Infinity));
    }
    return { parts, accuracy };
  }

  /** Return how likely the point is in each place around, per cent; null where nobody can say. */
  function weighAll(around, point, parts, distances) {
    const likely = new Map(around.map((place) => [place.head.id, weigh(place, point, parts, distances.get(place))]));
    for (const layer of sharing) {
      const rivals = around.filter(({ head }) => head.layer === layer).map(({ head }) => head.id);
      const total = rivals.reduce((sum, place) => sum + (likely.get(place) ?? 0), 0);
      if (total > 1) for (const place of rivals) if (likely.get(place) !== null) likely.set(place, likely.get(place) / total);
    }
    return new Map([...likely].map(([place, chance]) => [place, chance === null ? null : rounded(100 * chance, 1)]));
  }

  function weigh({ head, rings }, point, parts, distance) {
    if (head.spots.length) return null;
    const part = edged.has(head.id) ? (parts.get(head.id) ?? Infinity) : distance / Math.max(head.positional_accuracy_m, 1e-3);
    const beyond = (1 - shareWithin(part)) / 2;
    return covers(rings, point) ? 1 - beyond : beyond;
  }

  /** Return the share of errors that are no larger than `part` of the accuracy. */
  function shareWithin(part) {
    let [lowShare, low] = table[0];
    for (const [share, at] of table.slice(1)) {
      if (part < at) return lowShare + ((share - lowShare) * (part - low)) / (at - low);
      [lowShare, low] = [share, at];
    }
    return 1;
  }

  /** Return the layers in which it is not certain which place the point is in. */
  function doubts(found) {
    return sharing.flatMap((layer) => {
      const rows = found.filter((row) => row.layer === layer && !row.spots.length);
      if (!rows.some((row) => row.uncertain)) return [];
      return [{ layer, places: rows.map(({ id, name, url }) => ({ id, name, url })), or_none: rows.length === 1 }];
    });
  }

  function nearest(point) {
    const [metres, { head }] = places.map((place) => [distanceTo(point, place.rings), place]).reduce((one, other) => (other[0] < one[0] ? other : one));
    return { id: head.id, layer: head.layer, name: head.name, url: head.url, distance_m: rounded(metres, 0) };
  }

  /** Return the nearest port, airport and station, each with its distance. */
  function gateways(point) {
    const best = new Map();
    for (const { head, at } of tables.gateways) {
      const metres = lengthBetween(at, point);
      if (metres < (best.get(head.kind)?.[0] ?? Infinity)) best.set(head.kind, [metres, head]);
    }
    return [...best.values()].map(([metres, head]) => ({ ...head, distance_m: rounded(metres, 0) }));
  }

  return answer;
}

function meet({ head, rings }, point, metres) {
  const { spots } = head;
  const inside = !spots.length && covers(rings, point);
  const uncertain = spots.length
    ? spots.some(([lon, lat, accuracy]) => lengthBetween(point, [lon, lat]) <= accuracy)
    : metres < head.positional_accuracy_m;
  if (!inside && !uncertain) return null;
  return { ...head, status: inside ? "inside" : "near", distance_to_edge_m: rounded(metres, 0), uncertain };
}

/** Return what can be said of an area without a stated extent: nothing of edges, shares or accuracy. */
function withoutExtent(row) {
  return { ...Object.fromEntries(OPEN_KEYS.map((key) => [key, row[key]])), status: row.status };
}

function rankLayer(layer, around, likely) {
  const heads = around.filter(({ head }) => head.layer === layer).map(({ head }) => head);
  const chances = heads.map((head) => [likely.get(head.id) ?? 0, head]).sort(([one], [other]) => other - one);
  const rows = chances.filter(([chance]) => chance >= LEAST_LIKELY);
  if (!rows.length) return [];
  const places = rows.map(([chance, { id, name, url }]) => ({ id, name, url, likelihood_percent: chance }));
  const rest = 100 - chances.reduce((sum, [chance]) => sum + chance, 0);
  return [{ layer, places, none_percent: rounded(Math.max(rest, 0), 1) }];
}

const byText = (one, other) => (one < other ? -1 : one > other ? 1 : 0);

/* Geometry: rings and lines are lists of positions; the nearest point is found on a plane true in scale around the point. */

function unpack({ head, rings }) {
  const lists = unpackRings(rings);
  const all = lists.flat();
  const [lons, lats] = [0, 1].map((axis) => all.map((position) => position[axis]));
  const ends = (values) => values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
  return { head, rings: lists, box: [ends(lons), ends(lats)] };
}

/** Return rings of positions from whole steps of 1e-7 degrees, each from the one before. */
function unpackRings(rings) {
  return rings.map((steps) => {
    const ring = [];
    for (let at = 0, lon = 0, lat = 0; at < steps.length; at += 2) {
      lon += steps[at];
      lat += steps[at + 1];
      ring.push([lon / 1e7, lat / 1e7]);
    }
    return ring;
  });
}

function isNear([[west, east], [south, north]], [lon, lat], metres) {
  const up = metres / METRES_PER_DEGREE;
  const across = up / Math.max(Math.cos(lat * RADIANS), 0.01);
  return west <= lon + across && east >= lon - across && south <= lat + up && north >= lat - up;
}

/** Whether a point lies in polygons, all of whose rings are given: it does where an odd number of them is around it. */
function covers(rings, [x, y]) {
  let inside = false;
  for (const ring of rings)
    for (let at = 1; at < ring.length; at++) {
      const [[x1, y1], [x2, y2]] = [ring[at - 1], ring[at]];
      const within = Math.min(x1, x2) <= x && x <= Math.max(x1, x2) && Math.min(y1, y2) <= y && y <= Math.max(y1, y2);
      if (within && (x2 - x1) * (y - y1) === (y2 - y1) * (x - x1)) return true; // on the edge
      if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) inside = !inside;
    }
  return inside;
}

/** Return the geodesic distance from a point to the nearest of some lines. */
function distanceTo([lon, lat], lines) {
  const squash = Math.max(Math.cos(lat * RADIANS), 1e-6);
  let [least, nearest] = [Infinity, null];
  for (const line of lines)
    for (let at = 1; at < line.length; at++) {
      const [x1, y1] = [(line[at - 1][0] - lon) * squash, line[at - 1][1] - lat];
      const [dx, dy] = [(line[at][0] - lon) * squash - x1, line[at][1] - lat - y1];
      const length = dx * dx + dy * dy;
      const part = length ? Math.min(Math.max(-(x1 * dx + y1 * dy) / length, 0), 1) : 0;
      const [x, y] = [x1 + part * dx, y1 + part * dy];
      if (x * x + y * y < least) [least, nearest] = [x * x + y * y, [lon + x / squash, lat + y]];
    }
  return lengthBetween([lon, lat], nearest);
}

const [A, F] = [6378137, 1 / 298.257223563];
const B = A * (1 - F);

/** Return the geodesic distance between two points on WGS 84, metres, by Vincenty's inverse formula. */
export function lengthBetween([lon1, lat1], [lon2, lat2]) {
  const [u1, u2] = [lat1, lat2].map((lat) => Math.atan((1 - F) * Math.tan(lat * RADIANS)));
  const [sin1, cos1, sin2, cos2] = [Math.sin(u1), Math.cos(u1), Math.sin(u2), Math.cos(u2)];
  const apart = (lon2 - lon1) * RADIANS;
  let [lambda, before, square, sinSigma, cosSigma, sigma, middle] = [apart, NaN, 0, 0, 0, 0, 0];
  for (let round = 0; round < 100 && !(Math.abs(lambda - before) < 1e-13); round++) {
    const [sinLambda, cosLambda] = [Math.sin(lambda), Math.cos(lambda)];
    sinSigma = Math.hypot(cos2 * sinLambda, cos1 * sin2 - sin1 * cos2 * cosLambda);
    if (!sinSigma) return 0;
    cosSigma = sin1 * sin2 + cos1 * cos2 * cosLambda;
    sigma = Math.atan2(sinSigma, cosSigma);
    const sinAlpha = (cos1 * cos2 * sinLambda) / sinSigma;
    square = 1 - sinAlpha ** 2;
    middle = square ? cosSigma - (2 * sin1 * sin2) / square : 0;
    const c = (F / 16) * square * (4 + F * (4 - 3 * square));
    before = lambda;
    lambda = apart + (1 - c) * F * sinAlpha * (sigma + c * sinSigma * (middle + c * cosSigma * (2 * middle ** 2 - 1)));
  }
  const wide = (square * (A ** 2 - B ** 2)) / B ** 2;
  const a = 1 + (wide / 16384) * (4096 + wide * (wide * (320 - 175 * wide) - 768));
  const b = (wide / 1024) * (256 + wide * (wide * (74 - 47 * wide) - 128));
  const last = (b / 6) * middle * (4 * sinSigma ** 2 - 3) * (4 * middle ** 2 - 3);
  return B * a * (sigma - b * sinSigma * (middle + (b / 4) * (cosSigma * (2 * middle ** 2 - 1) - last)));
}
