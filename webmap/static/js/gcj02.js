/** The shift that Chinese web maps are drawn with. */

const { PI, abs, cos, sin, sqrt } = Math;
const RADIANS = PI / 180;
const CHINA = [72.004, 0.8293, 137.8347, 55.8271];
const KRASOVSKY = { a: 6378245, e2: 0.00669342162296594323 };

/** Return the GCJ-02 position of a WGS 84 one, both (lon, lat); outside China they are the same. */
export function toGcj02([lon, lat]) {
  const [west, south, east, north] = CHINA;
  if (lon < west || lon > east || lat < south || lat > north) return [lon, lat];
  const [x, y] = [lon - 105, lat - 35];
  const root = sqrt(abs(x));
  const common = ((20 * sin(6 * x * PI) + 20 * sin(2 * x * PI)) * 2) / 3;
  let up = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + common;
  up += ((20 * sin(y * PI) + 40 * sin((y / 3) * PI)) * 2) / 3;
  up += ((160 * sin((y / 12) * PI) + 320 * sin((y * PI) / 30)) * 2) / 3;
  let across = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + common;
  across += ((20 * sin(x * PI) + 40 * sin((x / 3) * PI)) * 2) / 3;
  across += ((150 * sin((x / 12) * PI) + 300 * sin((x / 30) * PI)) * 2) / 3;
  const bend = 1 - KRASOVSKY.e2 * sin(lat * RADIANS) ** 2;
  const meridian = (KRASOVSKY.a * (1 - KRASOVSKY.e2)) / bend ** 1.5;
  const parallel = (KRASOVSKY.a / sqrt(bend)) * cos(lat * RADIANS);
  return [lon + across / parallel / RADIANS, lat + up / meridian / RADIANS];
}
