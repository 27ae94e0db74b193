/** Which edges polygons share: compared segment by segment, however the file cuts its arcs. */

const keyOf = ([lat, lon]) => `${lat} ${lon}`;

/** Return how often each segment occurs in the polygons. */
export function countSegments(polygons) {
  const counts = new Map();
  for (const ring of polygons.flat()) {
    eachSegment(ring, (key) => counts.set(key, (counts.get(key) ?? 0) + 1));
  }
  return counts;
}

/** Return the lines made of those segments of the polygons whose key passes `keep`, each segment once. */
export function linesOf(polygons, keep) {
  const lines = [];
  const seen = new Set();
  for (const ring of polygons.flat()) {
    let line = null;
    eachSegment(ring, (key, from, to) => {
      const wanted = !seen.has(key) && keep(key, from, to);
      seen.add(key);
      if (!wanted) line = null;
      else if (line) line.push(to);
      else lines.push((line = [from, to]));
    });
  }
  return lines;
}

/** Return a test for segments that run along the frame that the polygons were cut to. */
export function onFrameOf(polygons) {
  const limits = [0, 1].map((axis) => {
    const values = polygons.flat(2).map((point) => point[axis]);
    return new Set([values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))]);
  });
  return (from, to) => limits.some((limit, axis) => from[axis] === to[axis] && limit.has(from[axis]));
}

function eachSegment(ring, visit) {
  let before = keyOf(ring[0]);
  for (let index = 1; index < ring.length; index += 1) {
    const after = keyOf(ring[index]);
    visit(before < after ? `${before} ${after}` : `${after} ${before}`, ring[index - 1], ring[index]);
    before = after;
  }
}
