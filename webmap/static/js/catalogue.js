/** Questions about the payload: which features a theme shows, in which colour, and which match. */

const POINTS = new Set(["platforms", "gateways"]);
const SCHEMATIC = new Set(["reconstructed", "indicative", "derived"]);
const HOLLOW_OVER_M = 1000;
const NEUTRAL = "#B5AE9E";

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

  isPoint = (feature) => POINTS.has(feature.layer);

  isSchematic = (feature) => SCHEMATIC.has(feature.edge);

  isHollow = (feature) => this.isPoint(feature) && feature.accuracy_m > HOLLOW_OVER_M;

  isLocated = (feature) => (this.isPoint(feature) ? Boolean(feature.point) : this.shapes.has(feature.id));

  /** Return the (lat, lon) that stands for a feature, or null. */
  anchorOf(feature) {
    const at = this.isPoint(feature) ? feature.point : feature.label;
    return at ? [at[1], at[0]] : null;
  }

  /** Return the legend entry of a feature and its index, or null. */
  entryOf(feature, theme) {
    const key = theme.colour_by === "kind" ? feature.kind : feature.id;
    const index = theme.legend.findIndex((entry) => entry.key === key || entry.keys?.includes(key));
    return index < 0 ? null : { ...theme.legend[index], index };
  }

  /**
   * Return `{hue, texture, light, hatched}` of a feature: texture -1 is plain, the others tell hues
   * apart in grey; what others lie on is light, what is only indicative is hatched.
   */
  lookOf(feature, state) {
    const theme = this.themes.get(state.theme);
    const light = this.isBackdrop(feature, theme);
    const hatched = feature.edge === "indicative";
    if (theme.colour_by === "cluster") {
      const chosen = this.clusterOf(state);
      const hit = chosen && this.matches(feature, state);
      return { hue: hit ? chosen.colour : NEUTRAL, texture: -1, light: light && !hit, hatched };
    }
    const entry = this.entryOf(feature, theme);
    return { hue: entry?.colour ?? feature.colour ?? NEUTRAL, texture: entry ? entry.index : -1, light, hatched };
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
