/** Decode TopoJSON: polygons as [polygon][ring][point], lines as [line][point], points as [lat, lon]. */

/**
 * Return the geometries of a topology.
 *
 * `geometries(object)` lists them still encoded, `polygons(geometry)` and `lines(geometry)` decode one:
 * most are never drawn, so none is decoded before it is asked for.
 */
export function decodeTopology(topology) {
  const arcs = topology.arcs.map((arc) => decodeArc(arc, topology.transform));
  return {
    geometries: (name) => flatten(topology.objects[name]),
    polygons: (geometry) => toPolygons(geometry).map((rings) => rings.map((ring) => stitch(arcs, ring))),
    lines: (geometry) => toLines(geometry).map((line) => stitch(arcs, line)),
  };
}

function decodeArc(arc, transform) {
  if (!transform) return arc.map(([lon, lat]) => [lat, lon]);
  const [scaleX, scaleY] = transform.scale;
  const [shiftX, shiftY] = transform.translate;
  let x = 0;
  let y = 0;
  return arc.map(([dx, dy]) => {
    x += dx;
    y += dy;
    return [y * scaleY + shiftY, x * scaleX + shiftX];
  });
}

/** Join arcs end to end; a negative index is the complement of the arc that runs backwards. */
function stitch(arcs, indexes) {
  const points = [];
  for (const index of indexes) {
    const arc = index < 0 ? (arcs[~index].toReversed?.() ?? [...arcs[~index]].reverse()) : arcs[index];
    points.push(...(points.length ? arc.slice(1) : arc));
  }
  return points;
}

function flatten(geometry) {
  if (!geometry) return [];
  return geometry.type === "GeometryCollection" ? geometry.geometries.flatMap(flatten) : [geometry];
}

function toPolygons(geometry) {
  if (geometry.type === "Polygon") return [geometry.arcs];
  return geometry.type === "MultiPolygon" ? geometry.arcs : [];
}

function toLines(geometry) {
  if (geometry.type === "LineString") return [geometry.arcs];
  return geometry.type === "MultiLineString" ? geometry.arcs : [];
}
