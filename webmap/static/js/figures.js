/** The theme's polygons, and the outline of the selected one. */

import { STYLE } from "./cartography.js";
import { finish, keepFocus, svg } from "./dom.js";
import { createRenderer } from "./shapes.js";
import { t } from "./site.js";
import { dress, fadingFill, paint } from "./symbols.js";

/* The polygons of the theme: drawn back to front, selectable by pointer and keyboard. */

const STATES = ["selected", "faded", "matching", "reached", "masking", "outlined"];

let made = 0; // elements that others name

/** Return the steps in which the figures are drawn at first. */
export function createFigures(app) {
  const { map, state, catalogue, shapes, suffix = "" } = app;
  const pane = `area${suffix}`; // right of the slider there is another
  const group = L.layerGroup().addTo(map);
  const [renderer, edging] = [createRenderer(pane), createRenderer(`edge${suffix}`)];
  const drawn = new Map();
  const tones = []; // groups that hold bands

  function draw() {
    keepFocus(map.getPane(pane), () => finish(make()));
  }

  function* make() {
    group.clearLayers();
    drawn.clear();
    for (const node of tones.splice(0)) node.remove();
    const theme = catalogue.themes.get(state.get().theme);
    const features = catalogue.shownIn(state.get()).filter((one) => !catalogue.isPoint(one) && shapes.has(one.id));
    const layers = [...new Set(features.map((one) => one.layer))];
    features.sort((a, b) => layers.indexOf(a.layer) - layers.indexOf(b.layer) || b.area_km2 - a.area_km2);
    if (theme.context.includes("zones")) drawContext();
    for (const feature of features) yield drawFigure(feature);
    yield drawEdges(features);
    restyle();
  }

  const lineOptions = (className) => ({
    pane: `edge${suffix}`,
    renderer: edging,
    className,
    interactive: false,
    fill: false,
    ...shapes.drawing,
  });

  function drawContext() {
    L.polyline(shapes.lines("zone-lines"), lineOptions("ground-context")).addTo(group);
  }

  function drawFigure(feature) {
    const options = {
      pane,
      renderer,
      className: `figure method-${feature.edge}`,
      ...shapes.drawing,
    };
    const path = L.polygon(shapes.polygon(feature.id), options).addTo(group).getElement();
    const kind = t(`kind.${feature.kind}`);
    path.dataset.id = feature.id;
    path.setAttribute("tabindex", "0");
    path.setAttribute("role", "button");
    const text = catalogue.isSchematic(feature) ? "map.figure_schematic" : "map.figure";
    path.setAttribute("aria-label", t(text, { name: feature.name, kind }));
    drawn.set(feature.id, [path]);
  }

  /** Draw known edges crisp; of the others a soft band as wide as they are accurate with a thin dash in it. */
  function drawEdges(features) {
    const [seen, bands, lines] = [new Set(), new Map(), []];
    for (const { id } of features) {
      const [known, guessed] = [[], []];
      for (const { doubt, arc, line } of shapes.edges(id)) {
        if (!doubt) known.push(line);
        else if (!seen.has(arc)) {
          seen.add(arc); // of two neighbours, the first draws it
          guessed.push(line);
          const key = `${id} ${doubt.county} ${doubt.accuracy_m}`;
          if (!bands.has(key)) bands.set(key, { id, doubt, line: [] });
          bands.get(key).line.push(line);
        }
      }
      lines.push([id, guessed, "edge edge-guessed"], [id, known, "edge edge-known"]);
    }
    drawBands([...bands.values()]);
    for (const [id, line, className] of lines) if (line.length) drawLine(id, line, className);
  }

  /** Draw the bands county by county, stroke by stroke: those of one width together are one tone, also where they meet. */
  function drawBands(bands) {
    for (const county of new Set(bands.map(({ doubt }) => doubt.county))) {
      const lines = svg("defs");
      const inside = svg("g", { "clip-path": clip(county, lines) }, lines);
      const own = bands.filter(({ doubt }) => doubt.county === county);
      for (const band of own) {
        const path = drawLine(band.id, band.line, "edge-band");
        path.id = `band-${(made += 1)}`;
        band.use = `#${path.id}`;
        path.parentNode.append(inside);
        lines.append(path); // once: every width shows the same line
      }
      for (const share of STYLE.band) {
        const tone = svg("g", { class: "band" });
        for (const { id, use, doubt } of own) {
          const stroke = svg("use", { href: use, "data-id": id });
          stroke.style.setProperty("--width-m", Math.round(doubt.accuracy_m * share));
          tone.append(stroke);
        }
        inside.append(tone);
      }
      tones.push(inside);
    }
  }

  function drawLine(id, line, className) {
    const path = L.polyline(line, lineOptions(className)).addTo(group).getElement();
    path.dataset.id = id;
    drawn.get(id).push(path);
    return path;
  }

  /** Put into `defs` how to cut to a county, and name it: its edges are known, so no doubt reaches over them. */
  function clip(county, defs) {
    const node = svg("clipPath", { id: `county-${(made += 1)}` });
    const [figure] = drawn.get(county) ?? [];
    if (figure) {
      figure.id ||= `figure-${made}`;
      node.append(svg("use", { href: `#${figure.id}` })); // drawn already
    } else node.append(L.polygon(shapes.polygon(county), lineOptions("clip")).addTo(group).getElement());
    defs.append(node);
    return `url("#${node.id}")`;
  }

  /** Tell the style sheet how many pixels a metre has. */
  function scale() {
    const { lat, lng } = map.getCenter();
    const metres = map.distance([lat, lng], [lat, lng + 0.1]);
    const pixels = map.project([lat, lng + 0.1]).x - map.project([lat, lng]).x;
    map.getContainer().style.setProperty("--px-per-m", (pixels / metres).toFixed(6));
  }

  function restyle() {
    const now = state.get();
    map.getPane(pane).classList.toggle("is-asked", catalogue.isFiltered(now));
    for (const [id, [figure, ...edges]] of drawn) {
      const feature = catalogue.features.get(id);
      const look = catalogue.lookOf(feature, now);
      const flags = statesOf(feature, now);
      dress(figure, look);
      for (const path of [figure, ...edges]) {
        paint(path, look.hue);
        path.style.setProperty("--opacity", catalogue.opacityOf(feature, now));
        for (const name of STATES) path.classList.toggle(`is-${name}`, flags[name]);
      }
      for (const path of edges) path.classList.toggle("is-light", Boolean(look.light));
      figure.setAttribute("aria-pressed", String(flags.selected));
    }
  }

  function statesOf(feature, now) {
    const selected = feature.id === now.zone;
    const filtered = catalogue.isFiltered(now);
    const matching = filtered && catalogue.matches(feature, now);
    const reached = filtered && !matching && catalogue.isReached(feature, now);
    const other = catalogue.focusOf(now) && !selected;
    return {
      selected,
      matching,
      reached,
      outlined: catalogue.isOutlined(feature, now),
      masking: filtered && !matching && !reached && !selected,
      faded: Boolean(filtered ? !matching && !reached && !selected : other),
    };
  }

  state.subscribe((now, before) => (catalogue.contentOf(now) === catalogue.contentOf(before) ? restyle() : draw()));
  shapes.onChange(draw);
  map.on("zoomend viewreset", scale);
  scale();
  return make();
}

/* The edge of the selected place: dark on a white halo, above everything else; of a point, its reach. */

export function createOutline({ map, state, catalogue, shapes }) {
  const group = L.layerGroup().addTo(map);
  const renderer = createRenderer("line");

  function draw() {
    group.clearLayers();
    const feature = catalogue.features.get(state.get().zone);
    if (!feature) return;
    const options = (className) => ({
      pane: "line",
      renderer,
      className,
      interactive: false,
      fill: false,
      ...shapes.drawing,
    });
    for (const [lat, lon, radius] of feature.spots?.length ? catalogue.spotsOf(feature) : []) {
      const reach = L.circle([lat, lon], { ...options("reach-edge"), radius, fill: true }).addTo(group);
      const { hue } = catalogue.lookOf(feature, state.get());
      paint(reach.getElement(), hue).style.fill = fadingFill(hue);
    }
    if (!shapes.has(feature.id)) return;
    L.polygon(shapes.polygon(feature.id), options("outline-halo")).addTo(group);
    for (const { doubt, line } of shapes.edges(feature.id)) {
      L.polyline(line, options(`outline-edge ${doubt ? "is-guessed" : ""}`)).addTo(group);
    }
  }

  state.subscribe((now, before) => now.zone !== before.zone && draw());
  shapes.onChange(draw);
  draw();
}
