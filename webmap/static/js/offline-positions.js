/** Positions as people write them, and the coordinate systems that they are in, as geodata/crs.py has them. */

import { Refusal, rounded } from "./offline-numbers.js";
import { toGcj02 } from "./gcj02.js";

const { PI, abs, asinh, atan, atan2, atanh, cos, cosh, hypot, sin, sinh, sqrt, tan } = Math;
const RADIANS = PI / 180;

/* Transverse Mercator by Krüger's series, to the fourth power of the third flattening: better than a millimetre here. */

function series(n) {
  const forth = [
    n / 2 - (2 / 3) * n ** 2 + (5 / 16) * n ** 3 + (41 / 180) * n ** 4,
    (13 / 48) * n ** 2 - (3 / 5) * n ** 3 + (557 / 1440) * n ** 4,
    (61 / 240) * n ** 3 - (103 / 140) * n ** 4,
    (49561 / 161280) * n ** 4,
  ];
  const back = [
    n / 2 - (2 / 3) * n ** 2 + (37 / 96) * n ** 3 - (1 / 360) * n ** 4,
    (1 / 48) * n ** 2 + (1 / 15) * n ** 3 - (437 / 1440) * n ** 4,
    (17 / 480) * n ** 3 - (37 / 840) * n ** 4,
    (4397 / 161280) * n ** 4,
  ];
  return { forth, back };
}

function transverse({ a, f, lon: middle, scale, east, north }) {
  const n = f / (2 - f);
  const e = sqrt(f * (2 - f));
  const radius = ((scale * a) / (1 + n)) * (1 + n ** 2 / 4 + n ** 4 / 64);
  const { forth, back } = series(n);
  const wave = (rows, sign, [xi, eta]) => [
    rows.reduce((sum, row, at) => sum + sign * row * sin(2 * (at + 1) * xi) * cosh(2 * (at + 1) * eta), xi),
    rows.reduce((sum, row, at) => sum + sign * row * cos(2 * (at + 1) * xi) * sinh(2 * (at + 1) * eta), eta),
  ];
  return {
    project([lon, lat]) {
      const slope = tan(lat * RADIANS);
      const bend = sinh(e * atanh((e * slope) / sqrt(1 + slope ** 2)));
      const conformal = slope * sqrt(1 + bend ** 2) - bend * sqrt(1 + slope ** 2);
      const away = (lon - middle) * RADIANS;
      const [xi, eta] = wave(forth, 1, [atan2(conformal, cos(away)), asinh(sin(away) / hypot(conformal, cos(away)))]);
      return [east + radius * eta, north + radius * xi];
    },
    unproject([x, y]) {
      const [xi, eta] = wave(back, -1, [(y - north) / radius, (x - east) / radius]);
      const conformal = sin(xi) / hypot(sinh(eta), cos(xi));
      let slope = conformal;
      for (let round = 0; round < 8; round++) {
        const bend = sinh(e * atanh((e * slope) / sqrt(1 + slope ** 2)));
        const reached = slope * sqrt(1 + bend ** 2) - bend * sqrt(1 + slope ** 2);
        const gain = (conformal - reached) / sqrt(1 + reached ** 2);
        slope += (gain * (1 + (1 - e ** 2) * slope ** 2)) / ((1 - e ** 2) * sqrt(1 + slope ** 2));
      }
      return [middle + atan2(sinh(eta), cos(xi)) / RADIANS, atan(slope) / RADIANS];
    },
  };
}

const EARTH_M = 6378137;
const WEB = {
  project: ([lon, lat]) => [EARTH_M * lon * RADIANS, EARTH_M * asinh(tan(lat * RADIANS))],
  unproject: ([x, y]) => [x / EARTH_M / RADIANS, atan(sinh(y / EARTH_M)) / RADIANS],
};
const SAME = { project: (position) => position, unproject: (position) => position };

/* The shifts of Chinese web maps. */

const BAIDU_WAVE = (PI * 3000) / 180;

function toBd09(position) {
  const [lon, lat] = toGcj02(position);
  const radius = hypot(lon, lat) + 0.00002 * sin(lat * BAIDU_WAVE);
  const angle = atan2(lat, lon) + 0.000003 * cos(lon * BAIDU_WAVE);
  return [radius * cos(angle) + 0.0065, radius * sin(angle) + 0.006];
}

/** Return a shift with its inverse, found by repeating it: it varies so slowly that each round gains digits. */
const shifted = (project) => ({
  project,
  unproject([x, y]) {
    let [lon, lat] = [x, y];
    for (let round = 0; round < 50; round++) {
      const [east, north] = project([lon, lat]);
      [lon, lat] = [lon + (x - east), lat + (y - north)];
    }
    return [lon, lat];
  },
});

/** Return the coordinate systems by name: `project` from (lon, lat) and `unproject`, whether in metres, which axis comes first. */
export function createPositions({ degrees, projected }) {
  const frames = Object.fromEntries(degrees.map((name) => [name, { ...SAME }]));
  for (const { name, north_first: northFirst, ...own } of projected)
    frames[name] = { ...transverse(own), metric: true, northFirst };
  return { ...frames, "EPSG:3857": { ...WEB, metric: true }, "GCJ-02": shifted(toGcj02), "BD-09": shifted(toBd09) };
}

/* Read a position as people write it. */

const MAX_LENGTH = 200;
const [LAT_LIMIT, LON_LIMIT] = [90, 180];
const [METRES, MILLION, ZONED] = [1e5, 1e6, 1e7];
const QUOTES = { "º": "°", "˚": "°", "´": "'", "″": '"' };
const SIGNS = { "−": "-", "–": "-", "º": "°", "˚": "°", ...all("′’‘ʹ`´", "'"), ...all("″”“ʺ", '"'), ...all("，、;；()[]{}<>=", " ") };
const UNITS = { 度: "°", 도: "°", 分: "'", 분: "'", 秒: '"', 초: '"' };
const LABELS = [
  [/东经|東經|동경|(?<![a-z])e(?:ast)?(?![a-z])/g, " E "],
  [/西经|西經|서경|(?<![a-z])w(?:est)?(?![a-z])/g, " W "],
  [/北纬|北緯|북위|(?<![a-z])n(?:orth)?(?![a-z])/g, " N "],
  [/南纬|南緯|남위|(?<![a-z])s(?:outh)?(?![a-z])/g, " S "],
  [/经度|經度|경도|(?<![a-z])(?:longitude|long|lon|lng|easting|x)(?![a-z]):?/g, " X "],
  [/纬度|緯度|위도|(?<![a-z])(?:latitude|lat|northing|y)(?![a-z]):?/g, " Y "],
];
const FIXED = [
  [/^\s*(?:srid=\d+;)?point\s*\(\s*(\S+)\s+(\S+)\s*\)\s*$/, ["X", "Y"]],
  [/^\s*geo:([^,;]+),([^,;]+)(?:[,;].*)?$/, ["Y", "X"]],
];
const NUMBER = String.raw`\d+(?:\.\d*)?|\.\d+`;
const ANGLE = new RegExp(
  String.raw`^(?<sign>[+-]?)\s*(?<degrees>${NUMBER})\s*°?(?:(?<=[°\s])\s*(?<minutes>${NUMBER})\s*'?` +
    String.raw`(?:(?<=['\s])\s*(?<seconds>${NUMBER})\s*(?:"|'')?)?)?$`,
);
const [EAST, NORTH] = ["EWX", "NSY"];

function all(letters, to) {
  return Object.fromEntries([...letters].map((one) => [one, to]));
}

const exchange = (text, table) => [...text].map((one) => table[one] ?? one).join("");
const stripped = (text) => text.replace(/^[ ,]+|[ ,]+$/g, "");

/** Why a text is no position: `kind`, and the (x, y) that it may mean. */
export class PositionError extends Error {
  constructor(kind, options = []) {
    super(kind);
    Object.assign(this, { kind, options });
  }
}

/** Return the (x, y) that a text writes in a frame; throws PositionError. */
export function parseText(text, frame) {
  if (!text.trim()) throw new PositionError("empty");
  if (text.length > MAX_LENGTH) throw new PositionError("long");
  const [one, other] = split(plain(text));
  const position = one[0] || other[0] ? byLabel(one, other) : bySize(one[1], other[1], frame);
  check(position, frame);
  return position;
}

function plain(text) {
  let folded = exchange(text, QUOTES).normalize("NFKC").toLowerCase();
  for (const [pattern, [first, second]] of FIXED) {
    const fixed = pattern.exec(folded);
    if (fixed) return `${first} ${fixed[1]} ${second} ${fixed[2]}`;
  }
  for (const [pattern, label] of LABELS) folded = folded.replace(pattern, label);
  return exchange(exchange(folded, SIGNS), UNITS).replace(/(?<=\d):(?=\d)/g, " ");
}

function split(text) {
  const labels = text.match(/[EWNSXY]/g) ?? [];
  if (labels.length && labels.length !== 2) throw new PositionError("labels");
  if (!labels.length) return halves(text).map((part) => ["", angle(part)]);
  const parts = text.split(/[EWNSXY]/);
  const before = !stripped(parts[0]);
  const values = before ? parts.slice(1) : parts.slice(0, 2);
  if ((!before && stripped(parts[2])) || !values.every(stripped)) throw new PositionError("unreadable");
  return values.map((part, at) => [labels[at], "SW".includes(labels[at]) ? -angle(stripped(part)) : angle(stripped(part))]);
}

function halves(text) {
  const parts = text.split(",").filter((part) => part.trim());
  if (parts.length === 2) return parts;
  const figures = [...text.matchAll(new RegExp(`[+-]?(?:${NUMBER})`, "g"))];
  if (parts.length !== 1 || ![2, 4, 6].includes(figures.length)) throw new PositionError("unreadable");
  const middle = figures[figures.length / 2].index;
  return [text.slice(0, middle), text.slice(middle)];
}

function angle(part) {
  const found = ANGLE.exec(part.trim());
  if (!found) throw new PositionError("unreadable");
  const { sign, degrees, minutes, seconds } = found.groups;
  const finer = [minutes, seconds].filter(Boolean).map(Number);
  const whole = [degrees, minutes, seconds].filter(Boolean).slice(0, -1);
  if (finer.some((one) => one >= 60) || whole.some((one) => one.includes("."))) throw new PositionError("sexagesimal");
  const size = finer.reduce((sum, one, at) => sum + one / 60 ** (at + 1), Number(degrees));
  return (sign === "-" ? -1 : 1) * (finer.length ? rounded(size, 7) : size);
}

function byLabel([one, first], [other, second]) {
  if (EAST.includes(one) && NORTH.includes(other)) return [first, second];
  if (NORTH.includes(one) && EAST.includes(other)) return [second, first];
  throw new PositionError("labels");
}

function bySize(one, other, frame) {
  const [low, high] = [abs(one), abs(other)].sort((first, second) => first - second);
  if (frame.northFirst && low < MILLION && MILLION <= high) return abs(one) < MILLION ? [one, other] : [other, one];
  if (!frame.metric && low <= LAT_LIMIT && LAT_LIMIT < high) return abs(one) > LAT_LIMIT ? [one, other] : [other, one];
  check([one, other], frame);
  if (one === other) return [one, other];
  throw new PositionError("order", [
    [one, other],
    [other, one],
  ]);
}

function check([x, y], frame) {
  const degrees = abs(x) <= LON_LIMIT && abs(y) <= LON_LIMIT;
  if (frame.metric) {
    if (degrees && (x || y)) throw new PositionError("degrees");
    if (frame.northFirst && Math.max(abs(x), abs(y)) >= ZONED) throw new PositionError("zoned");
  } else if (!degrees) {
    const [low, high] = [abs(x), abs(y)].sort((one, other) => one - other);
    throw new PositionError(low > LON_LIMIT && high >= METRES ? "metres" : "range");
  } else if (abs(y) > LAT_LIMIT) throw new PositionError("range");
}

/* Read the position of an address. */

const PLAIN = /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?$/;
const RANGES = { lon: [-LON_LIMIT, LON_LIMIT], lat: [-LAT_LIMIT, LAT_LIMIT] };
const short = (value, digits = 6) => String(Number(value.toPrecision(digits)));
const span = ([low, high]) => `[${low}, ${high}]`;

/** Return the (lon, lat) that an address asks for, null where it asks for none; throws what is wrong with it. */
export function parsePosition(query, frames) {
  if (!["at", "lon", "lat"].some((name) => query.has(name))) return null;
  const given = query.get("crs") ?? "CRS84";
  const name = given.toUpperCase().replace("GCJ02", "GCJ-02").replace("BD09", "BD-09");
  if (!(name in frames)) throw new Refusal("error.choice", "crs", given, Object.keys(frames).join(", "));
  const text = (query.get("at") ?? "").trim();
  const [x, y] = text ? readText(text, name, frames) : readPair(query, frames[name]);
  const [lon, lat] = frames[name].unproject([x, y]);
  if (!(abs(lon) <= LON_LIMIT && abs(lat) <= LAT_LIMIT)) throw new Refusal("error.projected", "lon", short(x), name);
  return [rounded(lon, 7), rounded(lat, 7)];
}

function readText(text, name, frames) {
  try {
    return parseText(text, frames[name]);
  } catch (error) {
    if (!(error instanceof PositionError)) throw error;
    const near = error.kind === "metres" ? metricReadings(text, frames) : error.options.map((one) => reading(one, name, frames));
    throw new Refusal(`error.at_${error.kind}`, "at", text, name, near);
  }
}

/** Return what a text means in each system in metres that can hold it. */
function metricReadings(text, frames) {
  return Object.entries(frames).flatMap(([name, frame]) => {
    if (!frame.metric) return [];
    try {
      const position = parseText(text, frame);
      const [lon, lat] = frame.unproject(position);
      if (!(abs(lon) <= LON_LIMIT && abs(lat) <= LAT_LIMIT)) return [];
      return [{ ...reading(position, name, frames), label: `${name}: lon=${lon.toFixed(4)}, lat=${lat.toFixed(4)}` }];
    } catch (error) {
      if (error instanceof PositionError) return [];
      throw error;
    }
  });
}

function reading([x, y], name, frames) {
  const [lon, lat] = [short(x, 12), short(y, 12)];
  const query = new URLSearchParams({ lon, lat, ...(name === "CRS84" ? {} : { crs: name }) });
  return { label: frames[name].metric ? `x=${lon}, y=${lat}` : `lon=${lon}, lat=${lat}`, href: `/lookup?${query}` };
}

function readPair(query, frame) {
  const [lon, lat] = ["lon", "lat"].map((name) => {
    const allowed = frame.metric ? "米 / metres" : span(RANGES[name]);
    const text = (query.get(name) ?? "").trim();
    if (!text) throw new Refusal("error.missing", name, text, allowed);
    if (!PLAIN.test(text) || !Number.isFinite(Number(text))) throw new Refusal("error.number", name, text, allowed);
    return Number(text);
  });
  if (frame.metric) return [lon, lat];
  if (abs(lat) > LAT_LIMIT && abs(lon) <= LAT_LIMIT && abs(lat) <= LON_LIMIT) {
    const refusal = new Refusal("error.swapped", "lat", short(lat), span(RANGES.lat));
    refusal.values.hint = `lon=${short(lat)}&lat=${short(lon)}`;
    throw refusal;
  }
  for (const [name, value] of [
    ["lon", lon],
    ["lat", lat],
  ])
    if (abs(value) > RANGES[name][1]) throw new Refusal("error.range", name, short(value), span(RANGES[name]));
  return [lon, lat];
}
