/** Colours derived from a feature's hue. The ground's colours are in the style sheet. */

const channels = (hex) => [1, 3, 5].map((start) => Number.parseInt(hex.slice(start, start + 2), 16));

/** Return `hex` mixed with black (amount < 0) or white (amount > 0). */
export function shade(hex, amount) {
  const target = amount < 0 ? 0 : 255;
  const mixed = channels(hex).map((value) => Math.round(value + (target - value) * Math.abs(amount)));
  return `#${mixed.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}

/** Return the ink, dark or light, that is legible on a hue. */
function inkOn(hex) {
  const [red, green, blue] = channels(hex);
  return 0.299 * red + 0.587 * green + 0.114 * blue < 115 ? "#ffffff" : "#111111";
}

/** Give an element its hue for light and dark ground; the style sheet chooses between them. */
export function paint(node, hex) {
  const light = shade(hex, 0.22);
  const values = {
    "--hue": hex,
    "--hue-edge": shade(hex, -0.3),
    "--hue-ink": inkOn(hex),
    "--hue-dark": light,
    "--hue-edge-dark": shade(hex, 0.42),
    "--hue-ink-dark": inkOn(light),
  };
  for (const [name, value] of Object.entries(values)) node.style.setProperty(name, value);
  node.classList.add("hued");
  return node;
}
