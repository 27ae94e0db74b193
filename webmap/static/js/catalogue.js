/** Questions about the payload: which features a theme shows, in which colour, and which match. */

import { STYLE } from "./cartography.js";

const POINTS = new Set(["platforms", "gateways"]);
const SCHEMATIC = new Set(["reconstructed", "indicative", "derived"]);
const HOLLOW_OVER_M = 1000;
const { neutral: NEUTRAL, strong: STRONG } = STYLE.hues;
const GROUND_LAYERS = ["counties", "zones"]; // the zones lie on the counties and have answers of their own
const MOST_CHOSEN = 5; // places that can be compared

/** Return the ids that a value of the address lists. */
export const listOf = (text) => (text ? text.split(",") : []);

/** Return the layers laid over the theme, the topmost first, as `{layer, opacity}` in percent. */
export const overlaysOf = (state) =>
  listOf(state.layers).map((one) => {
    const [layer, opacity] = one.split(":");
    return { layer, opacity: Number(opacity) };
  });

export class Catalogue {
  constructor(payload, shapes) {
    this.payload = payload;
    this.features = new Map(Object.entries(payload.features).map(([id, feature]) => [id, { id, ...feature }]));
    this.themes = new Map(payload.themes.map((theme) => [theme.id, theme]));
    this.clusters = new Map(payload.clusters.map((cluster) => [cluster.id, cluster]));
    this.ownLayers = new Map((payload.own ?? []).map((layer) => [layer.id, layer]));
    this.shapes = shapes;
  }

  /** Return the state with unknown ids dropped, and a theme that shows the zone. */
  sound({ theme, zone, own, industry, cluster, q, layers, hide, pick, swipe, tour }) {
    const known = this.features.has(zone) ? zone : null;
    const shown = this.themes.has(theme) ? theme : this.themeFor(known);
    const classes = this.themes.get(shown).legend.map((entry) => entry.key);
    const layer = (one) => this.layers.includes(one.split(":")[0]);
    const solid = (one) => `${one.split(":")[0]}:${Math.min(100, Math.max(10, Number.parseInt(one.split(":")[1], 10) || 100))}`;
    const some = (text, known, change = (one) => one) =>
      [...new Set(listOf(text).filter(known).map(change))].join(",") || null;
    return {
      theme: shown,
      zone: known,
      own: !known && this.ownLayers.has(own?.split(":")[0]) ? own.slice(0, 200) : null,
      industry: Object.hasOwn(this.payload.industries, industry ?? "") ? industry : null,
      cluster: this.clusters.has(cluster) ? cluster : null,
      q: q?.slice(0, 200) || null,
      layers: some(layers, layer, solid),
      hide: some(hide, (one) => classes.includes(one) || this.isOwnClass(one)),
      pick: listOf(some(pick, (one) => this.features.has(one) && this.isArea(this.features.get(one)))).slice(0, MOST_CHOSEN).join(",") || null,
      swipe: swipe !== shown && (this.themes.has(swipe) || /^[0-9a-f]{16,64}$/.test(swipe)) ? swipe : null,
      tour: /^[1-5]$/.test(tour) ? tour : null,
    };
  }

  /** The layers of all themes, those of the first theme first, and the operator's own. */
  get layers() {
    return [...new Set([...[...this.themes.values()].flatMap((theme) => theme.layers), ...this.ownLayers.keys()])];
  }

  /** Whether a text names a value of a choice of an operator's own layer: layer, field and number, with points between. */
  isOwnClass(text) {
    const [layer, field, number] = text.split(".");
    const choice = this.ownLayers.get(layer)?.choices.find((one) => one.name === field);
    return Boolean(choice) && /^\d{1,2}$/.test(number) && Number(number) < choice.values.length;
  }

  /** Return what of the classes that are switched off belongs to no theme. */
  ownHidden = (hide) => listOf(hide).filter((one) => this.isOwnClass(one)).join(",") || null;

  /** Return the id of a theme that shows the feature: `preferred` if it does, else the first. */
  themeFor(id, preferred = null) {
    const layer = this.features.get(id)?.layer;
    const shows = (theme) => theme.layers.includes(layer);
    if (preferred && (!layer || shows(this.themes.get(preferred)))) return preferred;
    return [...this.themes.values()].find(shows)?.id ?? preferred ?? this.payload.themes[0].id;
  }

  /** Return the features of a theme, back to front. */
  featuresOf(theme) {
    return theme.layers.flatMap((layer) => [...this.features.values()].filter((one) => one.layer === layer));
  }

  /**
   * Return all that the map shows, back to front: what the theme draws but for the classes that are switched
   * off, what else answers the question asked, and the layers laid over both.
   */
  shownIn(state) {
    const theme = this.themes.get(state.theme);
    const hidden = listOf(state.hide);
    const own = this.featuresOf(theme).filter((one) => !hidden.includes(this.entryOf(one, theme)?.key));
    const over = overlaysOf(state).filter(({ layer }) => !theme.layers.includes(layer)).reverse();
    return [...new Set([...own, ...this.#answers(state), ...this.featuresOf({ layers: over.map((one) => one.layer) })])];
  }

  /** Return what the theme does not draw and the question is about; zones come with the counties they lie on. */
  #answers(state) {
    if (!state.industry && !state.pick) return [];
    const hits = [...this.features.values()].filter((one) => this.matches(one, state));
    const covered = (one) => one.layer === "zones" && hits.some((hit) => hit.id === one.parent);
    const others = this.layers.filter((layer) => !this.themes.get(state.theme).layers.includes(layer));
    return this.featuresOf({ layers: others }).filter((one) => this.isArea(one) && this.isLocated(one) && (hits.includes(one) || covered(one)));
  }

  /** Whether a place that answers the question is only outlined: those on it keep their own answers. */
  isOutlined(feature, state) {
    if (!this.isFiltered(state) || this.isPoint(feature) || !this.matches(feature, state)) return false;
    const theme = this.themes.get(state.theme);
    if (!theme.layers.includes(feature.layer)) return !["parks", ...GROUND_LAYERS].includes(feature.layer);
    return theme.layers.length === 1 && this.isBackdrop(feature, theme);
  }

  /** Return the opacity of a feature that is laid over the theme, from 0 to 1; else 1. */
  opacityOf(feature, state) {
    if (this.themes.get(state.theme).layers.includes(feature.layer)) return 1;
    return (overlaysOf(state).find((one) => one.layer === feature.layer)?.opacity ?? 100) / 100;
  }

  /** What the figures depend on: while it stays, only their look changes. */
  contentOf = ({ theme, layers, hide, industry, pick }) =>
    [theme, layers?.replace(/:\d+/g, ""), hide, industry, pick].join(" ");

  /** Return the theme that says how a feature looks: the one chosen, or else the first that draws its layer. */
  themeOf(feature, state) {
    const theme = this.themes.get(state.theme);
    if (theme.layers.includes(feature.layer)) return theme;
    return [...this.themes.values()].find((one) => one.layers.includes(feature.layer));
  }

  /** Return what the catalogue says of a feature's layer: `{source, priority, width}`. */
  layerOf = (feature) => this.payload.layers[feature.layer];

  /** Whether a feature is drawn as a symbol: it is a point, or a place of which only a point is known. */
  isPoint = (feature) => POINTS.has(feature.layer) || this.isUnbounded(feature);

  /** Whether a feature is a place with an extent, known or not: it can be compared and lists industries. */
  isArea = (feature) => !POINTS.has(feature.layer);

  isUnbounded = (feature) => Boolean(feature.spots?.length);

  isSchematic = (feature) => SCHEMATIC.has(feature.edge);

  isHollow = (feature) => this.isPoint(feature) && (this.isUnbounded(feature) || feature.accuracy_m > HOLLOW_OVER_M);

  isLocated = (feature) => this.spotsOf(feature).length > 0 || this.shapes.has(feature.id);

  /** Return where the symbols of a feature stand: `[lat, lon, accuracy in metres]` each. */
  spotsOf(feature) {
    if (this.isUnbounded(feature)) return feature.spots.map(([lon, lat, accuracy]) => [lat, lon, accuracy]);
    return feature.point ? [[feature.point[1], feature.point[0], feature.accuracy_m]] : [];
  }

  /** Return the (lat, lon) that stands for a feature, or null. */
  anchorOf(feature) {
    const [spot] = this.spotsOf(feature);
    if (spot) return spot.slice(0, 2);
    return feature.label ? [feature.label[1], feature.label[0]] : null;
  }

  /** Return the legend entry of a feature and its index, or null. */
  entryOf(feature, theme) {
    const key = theme.colour_by === "kind" ? feature.kind : feature.id;
    const index = theme.legend.findIndex((entry) => entry.key === key || entry.keys?.includes(key));
    return index < 0 ? null : { ...theme.legend[index], index };
  }

  /**
   * Return `{hue, texture, light, soft}` of a feature: texture -1 is plain, the others tell hues apart in grey;
   * what others lie on is light, as is what has no cluster among clusters; what is schematic is soft.
   */
  lookOf(feature, state) {
    const theme = this.themeOf(feature, state);
    const [light, soft] = [this.isBackdrop(feature, theme), this.isSchematic(feature)];
    if (this.isFiltered(state)) {
      const hit = this.matches(feature, state);
      const reached = !hit && this.isReached(feature, state);
      return { hue: hit || reached ? this.strongOf(state) : NEUTRAL, texture: -1, light: light && !hit && !reached, soft };
    }
    if (theme.colour_by === "cluster") {
      const leading = this.clusters.get(feature.leads);
      const texture = leading ? [...this.clusters.keys()].indexOf(leading.id) : -1;
      return { hue: leading?.colour ?? NEUTRAL, texture, light: !feature.clusters?.length, soft };
    }
    const entry = this.entryOf(feature, theme);
    return { hue: entry?.colour ?? feature.colour ?? NEUTRAL, texture: entry ? entry.index : -1, light, soft };
  }

  /** Return the `{symbol, letter, colour}` of what is drawn as a symbol. */
  symbolOf(feature, state) {
    if (this.isUnbounded(feature)) return { symbol: "spot", letter: null, colour: this.lookOf(feature, state).hue };
    return this.entryOf(feature, this.themeOf(feature, state));
  }

  /** Return whether the theme's other features lie on this one. */
  isBackdrop(feature, theme) {
    if (theme.layers.length > 1) return feature.layer === theme.layers[0];
    const others = this.featuresOf(theme).filter((one) => one !== feature && this.shapes.has(one.id));
    const own = this.shapes.boundsOf(feature.id);
    return Boolean(own) && others.length > 0 && others.every((one) => own.contains(this.shapes.boundsOf(one.id)));
  }

  /** Return the id of the selected feature where the theme draws it, so that others step back; else null. */
  focusOf({ zone, theme }) {
    const feature = this.features.get(zone);
    return feature && this.themes.get(theme).layers.includes(feature.layer) && this.isLocated(feature) ? zone : null;
  }

  /** Return the colour of what answers the question: a cluster's own, else the one that answers have. */
  strongOf = ({ industry, pick, cluster }) => (industry || pick ? STRONG : (this.clusters.get(cluster)?.colour ?? STRONG));

  isFiltered = ({ theme, industry, cluster, pick }) => Boolean(industry || pick || (theme === "clusters" && cluster));

  /** Return whether the plan names the industry that is filtered by only through a task, a role, an area or the city. */
  isReached = (feature, { industry, pick }) => Boolean(industry) && !pick && (feature.reached ?? []).includes(industry);

  /** Return the places of all themes that the plan lists an industry for. */
  placesFor = (industry) => [...this.features.values()].filter((one) => this.isArea(one) && one.industries?.includes(industry));

  /** Return whether a feature passes the reader's filters. */
  matches(feature, state) {
    if (state.pick && !listOf(state.pick).includes(feature.id)) return false;
    const industry = !state.industry || (feature.industries ?? []).includes(state.industry);
    const byCluster = state.theme === "clusters" && state.cluster;
    return industry && (!byCluster || (feature.clusters ?? []).includes(state.cluster));
  }
}
