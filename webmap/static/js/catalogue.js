/** Questions about the payload: which features a theme shows, in which colour, and which match. */

const POINTS = new Set(["platforms", "gateways"]);
const SCHEMATIC = new Set(["reconstructed", "indicative", "derived"]);
const HOLLOW_OVER_M = 1000;
const NEUTRAL = "#B5AE9E";
const MATCH = "#0072B2"; // of an industry that is filed under no cluster

export class Catalogue {
  constructor(payload, shapes) {
    this.payload = payload;
    this.features = new Map(Object.entries(payload.features).map(([id, feature]) => [id, { id, ...feature }]));
    this.themes = new Map(payload.themes.map((theme) => [theme.id, theme]));
    this.clusters = new Map(payload.clusters.map((cluster) => [cluster.id, cluster]));
    this.shapes = shapes;
  }

  /** Return the state with unknown ids dropped, and a theme that shows the zone. */
  sound({ theme, zone, industry, cluster }) {
    const known = this.features.has(zone) ? zone : null;
    return {
      theme: this.themes.has(theme) ? theme : this.themeFor(known),
      zone: known,
      industry: Object.hasOwn(this.payload.industries, industry ?? "") ? industry : null,
      cluster: this.clusters.has(cluster) ? cluster : null,
    };
  }

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

  /** Return what the catalogue says of a feature's layer: `{source, priority, width}`. */
  layerOf = (feature) => this.payload.layers[feature.layer];

  /** Whether a feature is drawn as a symbol: it is a point, or a place of which only a point is known. */
  isPoint = (feature) => POINTS.has(feature.layer) || this.isUnbounded(feature);

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
   * what others lie on is light, what is schematic is soft. Under a filter all that match have one hue, and the rest none.
   */
  lookOf(feature, state) {
    const theme = this.themes.get(state.theme);
    const [light, soft] = [this.isBackdrop(feature, theme), this.isSchematic(feature)];
    if (theme.colour_by === "cluster" || (this.isFiltered(state) && !POINTS.has(feature.layer))) {
      const hit = this.isFiltered(state) && this.matches(feature, state);
      return { hue: hit ? (this.clusterOf(state)?.colour ?? MATCH) : NEUTRAL, texture: -1, light: light && !hit, soft };
    }
    const entry = this.entryOf(feature, theme);
    return { hue: entry?.colour ?? feature.colour ?? NEUTRAL, texture: entry ? entry.index : -1, light, soft };
  }

  /** Return the `{symbol, letter, colour}` of what is drawn as a symbol. */
  symbolOf(feature, state) {
    if (this.isUnbounded(feature)) return { symbol: "spot", letter: null, colour: this.lookOf(feature, state).hue };
    return this.entryOf(feature, this.themes.get(state.theme));
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
    const drawn = feature && this.themes.get(theme).layers.includes(feature.layer) && this.isLocated(feature);
    return drawn ? zone : null;
  }

  /** Return the cluster that the reader filters by, directly or through an industry. */
  clusterOf(state) {
    const id = state.industry ? this.payload.industries[state.industry].cluster : state.cluster;
    return this.clusters.get(id) ?? null;
  }

  isFiltered = (state) => Boolean(state.industry) || (state.theme === "clusters" && Boolean(state.cluster));

  /** Return whether the plan names the industry that is filtered by only through a task, a role, an area or the city. */
  isReached = (feature, { industry }) => Boolean(industry) && (feature.reached ?? []).includes(industry);

  /** Return the places of all themes that the plan lists an industry for. */
  placesFor = (industry) => [...this.features.values()].filter((one) => !this.isPoint(one) && one.industries?.includes(industry));

  /** Return whether a feature passes the reader's filters. */
  matches(feature, state) {
    const industry = !state.industry || (feature.industries ?? []).includes(state.industry);
    const byCluster = state.theme === "clusters" && state.cluster;
    return industry && (!byCluster || (feature.clusters ?? []).includes(state.cluster));
  }
}
