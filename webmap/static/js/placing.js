/** Place labels so that none covers another: greedy, the important ones first. */

const GAP = 2;
const DIRECTIONS = Array.from({ length: 12 }, (_, index) => (index * Math.PI) / 6);

/**
 * Return a Map of item to its offset [dx, dy], or null where it is to be hidden.
 *
 * An item is `{x, y, width, height, priority, must, offsets}`: the anchor and the box's size in
 * pixels, the offsets of the box's centre to try in turn. `must` items are moved, never hidden.
 * `taken` boxes are `[left, top, right, bottom]`, and so is `frame`: offsets that keep the box
 * inside it are tried before the others.
 */
export function placeLabels(items, taken = [], frame = null) {
  const boxes = [...taken];
  const placed = new Map();
  for (const item of [...items].sort((a, b) => a.priority - b.priority)) {
    const offset = firstFree(item, insideFirst(item, frame), boxes) ?? (item.must ? moved(item, boxes, frame) : null);
    if (offset) boxes.push(boxAt(item, offset));
    placed.set(item, offset);
  }
  return placed;
}

function firstFree(item, offsets, boxes) {
  return offsets.find((offset) => !boxes.some((box) => overlap(boxAt(item, offset), box))) ?? null;
}

function insideFirst(item, frame, offsets = item.offsets) {
  if (!frame) return offsets;
  const inside = (offset) => {
    const [left, top, right, bottom] = boxAt(item, offset);
    return left >= frame[0] && top >= frame[1] && right <= frame[2] && bottom <= frame[3];
  };
  return [...offsets.filter(inside), ...offsets.filter((offset) => !inside(offset))];
}

/** Return the nearest free offset, or the one that covers least. */
function moved(item, boxes, frame) {
  const ring = [];
  for (let radius = 16; radius <= 160; radius += 12) {
    for (const angle of DIRECTIONS) ring.push([radius * 1.4 * Math.cos(angle), radius * Math.sin(angle)]);
  }
  const covered = (offset) => boxes.reduce((sum, box) => sum + overlap(boxAt(item, offset), box), 0);
  return firstFree(item, insideFirst(item, frame, ring), boxes) ?? ring.reduce((best, one) => (covered(one) < covered(best) ? one : best));
}

function boxAt({ x, y, width, height }, [dx, dy]) {
  const [left, top] = [x + dx - width / 2 - GAP, y + dy - height / 2 - GAP];
  return [left, top, left + width + 2 * GAP, top + height + 2 * GAP];
}

function overlap(a, b) {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  return width > 0 && height > 0 ? width * height : 0;
}
