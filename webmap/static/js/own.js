/**
 * The operator's own layers over the map: on canvases, fetched once one is switched on, always marked as theirs.
 *
 * A module that only a map with such layers fetches: it is handed the page's own functions, as it would
 * otherwise bring copies of them that know no words.
 */

const ABOVE = 452; // of the pane of the lowest layer: over the plan's figures and symbols, under all names
const SIZES = [0.28, 0.6]; // of a symbol, of those of the plan's themes, far off and near
const [FAR, NEAR] = [9, 12]; // zooms
const REACH_PX = 9; // around a point that a click means it
const MOST = 20; // features under one click that are offered
const FILL = 0.45;
const DARK = matchMedia("(prefers-color-scheme: dark)");

/** A symbol on a canvas: thousands of them are drawn as fast as one path each. */
const Mark = L.CircleMarker.extend({
  _updatePath() {
    const { _ctx: context, _drawing: drawing } = this._renderer;
    if (!drawing || this._empty()) return;
    const { outline, fillColor, color, chosen } = this.options;
    const share = Math.min(1, Math.max(0, (this._map.getZoom() - FAR) / (NEAR - FAR)));
    const size = chosen ? 1 : SIZES[0] + share * (SIZES[1] - SIZES[0]);
    context.save();
    context.translate(this._point.x, this._point.y);
    context.scale(size, size);
    context.fillStyle = fillColor;
    context.strokeStyle = color;
    context.lineWidth = 2;
    context.fill(outline);
    context.stroke(outline);
    context.restore();
  },
});

/** Draw the layers of `app.payload.own` that are switched on, and answer for their features as `app.own`. */
export function createOwn(app, page) {
  const { map, state, payload } = app;
  const { byId, el, listOf, local, overlaysOf, t } = page;
  const layers = new Map(payload.own.map((layer) => [layer.id, new OwnLayer(layer, app, page)]));
  const legend = byId("own-legend");

  /** Return the layers that are switched on, the topmost first, with their opacity. */
  const shown = () =>
    overlaysOf(state.get())
      .filter(({ layer }) => layers.has(layer))
      .map(({ layer, opacity }) => ({ layer: layers.get(layer), opacity }));

  function draw() {
    const on = shown();
    for (const layer of layers.values()) if (!on.some((one) => one.layer === layer)) layer.remove();
    on.forEach(({ layer, opacity }, index) => layer.show(ABOVE + on.length - index, opacity / 100));
    drawLegend(on.map((one) => one.layer));
  }

  function drawLegend(on) {
    if (!legend) return; // an embedded map has none
    const focused = document.activeElement?.dataset?.key;
    legend.replaceChildren(...on.map(describe));
    if (focused) legend.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  function describe(layer) {
    const { title, choices, count, source, as_of: date, url } = layer.info;
    return el(
      "section",
      { class: "own-legend", dataset: { layer: layer.info.id } },
      el("h3", {}, el("span", { text: title }), " ", el("span", { class: "tag caution", text: t("own.mark") })),
      choices.some((one) => one.name === layer.info.by) ? null : el("p", { class: "own-sign" }, layer.sign(layer.info.colour), el("span", { text: title })),
      choices.flatMap((choice) => switches(layer, choice)),
      el("p", { class: "theme-note" }, t("own.not_the_plan"), " ", t("own.stated", { source, as_of: date })),
      layer.failed ? el("p", { class: "nothing", role: "alert", text: t("own.failed", { reason: layer.failed }) }) : null,
      el("p", {}, el("a", { href: local(url), text: t("own.list", { count: count.toLocaleString("en") }) })),
    );
  }

  /** The values of a choice, each a switch. */
  function switches(layer, choice) {
    const hidden = listOf(state.get().hide);
    const items = choice.values.map(({ label, colour }, index) => {
      const key = `${layer.info.id}.${choice.name}.${index}`;
      const pressed = !hidden.includes(key);
      const onclick = () =>
        state.set({ hide: (pressed ? [...hidden, key] : hidden.filter((one) => one !== key)).join(",") || null }, "key");
      const icon = choice.name === layer.info.by ? layer.sign(colour) : null;
      const button = { type: "button", "aria-pressed": String(pressed), dataset: { key }, onclick };
      return el("li", {}, el("button", button, icon, el("span", { class: "entry-label", text: label })));
    });
    return [el("h4", { text: choice.title }), el("ul", { class: "legend-list switches" }, items)];
  }

  /** Return what a key of a feature, its layer and id, stands for: what the panel and the list of choices show. */
  function featureOf(key) {
    const [id, feature] = split(key);
    return layers.get(id)?.featureOf(feature) ?? null;
  }

  /** Return the keys of the features under a pointer, topmost first. */
  function under(event) {
    const at = map.mouseEventToLayerPoint(event);
    return shown().flatMap(({ layer }) => layer.under(at)).slice(0, MOST);
  }

  const looks = (now) => [now.layers, now.hide, now.own].join(" ");
  state.subscribe((now, before, origin) => {
    if (looks(now) !== looks(before)) draw();
    const [id, feature] = split(now.own ?? "");
    if (now.own !== before.own && origin !== "history" && layers.get(id)?.has(feature)) reveal(layers.get(id), feature);
  });
  DARK.addEventListener("change", draw);
  app.own = { featureOf, under };
  app.onOwn = (layer) => {
    draw();
    const [id, feature] = split(state.get().own ?? "");
    if (id !== layer.info.id || !layer.has(feature)) return;
    app.panel?.open(layer.featureOf(feature));
    reveal(layer, feature);
  };

  /** Move the map only if the feature is out of sight or covered, once the panel has opened. */
  const reveal = (layer, feature) => requestAnimationFrame(() => app.view.reach(layer.anchorOf(feature)));
  draw();
}

const split = (key) => [key.slice(0, key.indexOf(":")), key.slice(key.indexOf(":") + 1)];

/** One layer: what the page knows of it, and once it was on, what it draws. */
class OwnLayer {
  constructor(info, app, page) {
    this.info = info;
    this.app = app;
    this.page = page;
    this.failed = null;
    this.data = null;
    this.group = null;
    this.drawn = null;
    this.outline = new Path2D(page.STYLE.symbols[info.symbol]);
  }

  /** Draw at a height and opacity, from 0 to 1; what is fetched first is drawn when it is there. */
  show(zIndex, opacity) {
    const pane = this.pane();
    Object.assign(pane.style, { zIndex, opacity });
    if (this.data) this.draw();
    else if (!this.failed) this.load();
  }

  remove() {
    this.group?.clearLayers();
    this.drawn = null;
    this.failed = null; // who switches it on again tries again
  }

  pane() {
    const { map } = this.app;
    const name = `own-${this.info.id}`;
    if (!map.getPane(name)) {
      map.createPane(name).style.pointerEvents = "none"; // the figures beneath stay within reach
      this.renderer = L.canvas({ pane: name, padding: 0.3 });
      this.group = L.layerGroup().addTo(map);
    }
    return map.getPane(name);
  }

  async load() {
    if (this.loading) return;
    this.loading = true;
    try {
      this.data = await this.page.fetchJson(`/r/${this.app.payload.release}/map/own/${this.info.id}.json`);
      this.places = new Map(this.data.ids.map((id, index) => [id, index]));
    } catch (error) {
      this.failed = error.message;
    }
    this.loading = false;
    this.app.onOwn(this);
  }

  /** Draw what no switch hides, unless it is drawn already. */
  draw() {
    const { hide, own } = this.app.state.get();
    const hidden = this.page.listOf(hide).filter((one) => one.startsWith(`${this.info.id}.`));
    const chosen = own?.startsWith(`${this.info.id}:`) ? own : "";
    const content = `${hidden.join()} ${chosen} ${DARK.matches}`;
    if (this.drawn === content) return;
    this.drawn = content;
    const off = new Set(hidden);
    this.group.clearLayers();
    this.marks = [];
    this.data.ids.forEach((id, index) => {
      const isHidden = this.info.choices.some(({ name }) => off.has(`${this.info.id}.${name}.${this.data.values[name][index]}`));
      if (!isHidden) this.add(id, index, `${this.info.id}:${id}` === chosen);
    });
  }

  add(id, index, chosen) {
    const { STYLE, shade } = this.page;
    const { edge, night, "night-edge": nightEdge } = STYLE.shades;
    const hue = this.colourOf(index);
    const [fillColor, line, ink] = DARK.matches ? [shade(hue, night), shade(hue, nightEdge), STYLE.letters.light] : [hue, shade(hue, edge), STYLE.letters.dark];
    const options = { pane: `own-${this.info.id}`, renderer: this.renderer, interactive: false, fillColor, fillOpacity: FILL, chosen };
    Object.assign(options, { color: chosen ? ink : line, weight: chosen ? 3 : 1.4 });
    const path = this.data.at
      ? new Mark(turn(this.data.at[index]), { ...options, radius: chosen ? 12 : 6, outline: this.outline })
      : L.polygon(this.data.shapes[index].map((part) => part.map((ring) => ring.map(turn))), options);
    this.marks.push({ id, path: path.addTo(this.group) });
  }

  colourOf(index) {
    const choice = this.info.choices.find((one) => one.name === this.info.by);
    return choice?.values[this.data.values[choice.name][index]]?.colour ?? this.info.colour;
  }

  /** Return a small picture of what is drawn in a colour. */
  sign(colour) {
    if (this.info.geometry === "point") return this.page.symbolIcon({ symbol: this.info.symbol, colour });
    return this.page.swatch({ hue: colour, texture: -1 }, "official");
  }

  /** Return the keys of what lies under a point of the layer's pixels: the nearest, or the topmost, first. */
  under(at) {
    const marks = this.drawn === null ? [] : this.marks;
    const key = ({ id }) => `${this.info.id}:${id}`;
    if (this.data?.shapes)
      return marks.filter(({ path }) => path._pxBounds?.contains(at) && path._containsPoint(at)).reverse().map(key);
    const near = marks.filter(({ path }) => path._point.distanceTo(at) <= REACH_PX);
    return near.sort((one, other) => one.path._point.distanceTo(at) - other.path._point.distanceTo(at)).map(key);
  }

  has = (id) => Boolean(this.places?.has(id));

  featureOf(id) {
    const index = this.places?.get(id);
    const names = this.data?.names ?? {};
    const [name, zh] = index === undefined ? [this.info.title, this.info.title] : [(names[this.page.lang()] ?? names.zh)[index], names.zh[index]];
    const icon = () => this.sign(index === undefined ? this.info.colour : this.colourOf(index));
    return { id: `${this.info.id}:${id}`, name, zh, icon, lead: `${this.info.title} · ${this.page.t("own.mark")}`, url: `${this.info.url}${encodeURIComponent(id)}` };
  }

  /** Return a (lat, lon) of a feature. */
  anchorOf(id) {
    const index = this.places.get(id);
    return this.data.at ? turn(this.data.at[index]) : turn(this.data.shapes[index][0][0][0]);
  }
}

const turn = ([lon, lat]) => [lat, lon];
