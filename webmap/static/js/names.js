/** Which names the map carries at a zoom: the theme's figures first, then the ground's. */

import { narrow } from "./dom.js";

// Zoom from which each kind of name shows, its order among the others.
const LANDMARKS = {
  sea: { from: 8, priority: 42 },
  neighbour: { from: 8, priority: 44 },
  island: { from: 9.5, priority: 50 },
  cape: { from: 9.5, priority: 52 },
  bay: { from: 9.5, priority: 54 },
  lagoon: { from: 11, priority: 56 },
  centre: { from: 10.5, priority: 46 },
  campus: { from: 13, priority: 70 },
};
const GATEWAYS_FROM = 10.5;
const TOWNS_FROM = 11;
const NAMED_ALWAYS = new Set(["counties", "zones"]);
const FIGURE_PRIORITY = { "five-zones": 0, belts: 0, "marine-cores": 4, counties: 8, zones: 10, parks: 20 };

/** Return the labels wanted: `{id, text, at, type, priority, must, badges, mark, size}`. */
export function wantedNames(app, zoom) {
  const theme = app.catalogue.themes.get(app.state.get().theme);
  const figures = figureNames(app, theme);
  const shown = new Set(figures.map((one) => one.text));
  const ground = [
    ...countyNames(app, theme),
    ...landmarkNames(app, theme, zoom),
    ...gatewayNames(app, theme, zoom),
    ...townNames(app, zoom),
  ];
  const free = ground.filter((one) => !shown.has(one.text) && (one.type === "sea" || shown.add(one.text)));
  return [...figures, ...free];
}

function figureNames({ catalogue, state }, theme) {
  const now = state.get();
  return catalogue
    .featuresOf(theme)
    .filter((one) => catalogue.isLocated(one))
    .map((one) => {
      const badges = badgesOf(catalogue, one, theme);
      return {
        id: one.id,
        text: nameOf(one),
        at: catalogue.anchorOf(one),
        type: catalogue.isPoint(one) ? "point" : one.layer,
        point: catalogue.isPoint(one),
        priority: one.id === now.zone ? -1 : pointOrFigure(catalogue, one),
        must: badges.length > 0 || NAMED_ALWAYS.has(one.layer), // the letters are what such a theme shows
        badges,
      };
    });
}

/** The short name where the window is narrow. */
const nameOf = (feature) => (narrow.matches && feature.short ? feature.short : feature.name);

function pointOrFigure(catalogue, feature) {
  if (catalogue.isPoint(feature)) return catalogue.isHollow(feature) ? 31 : 30;
  return FIGURE_PRIORITY[feature.layer] + 1 / (1 + (feature.area_km2 ?? 0));
}

function badgesOf(catalogue, feature, theme) {
  if (theme.colour_by === "cluster") return (feature.clusters ?? []).map((id) => catalogue.clusters.get(id));
  return theme.colour_by === "feature" && feature.letter ? [feature] : [];
}

function countyNames({ catalogue }, theme) {
  if (theme.layers.includes("counties")) return [];
  const counties = catalogue.featuresOf({ layers: ["counties"] });
  return counties.map((one) => ({ text: nameOf(one), at: catalogue.anchorOf(one), type: "county", priority: 40 }));
}

/** Landmarks from their zoom on; one that the plan makes the core of a place drawn here, always. */
function landmarkNames({ catalogue }, theme, zoom) {
  const isCore = (one) => theme.layers.includes(one.core_of);
  return catalogue.payload.landmarks
    .filter((one) => isCore(one) || zoom >= (LANDMARKS[one.kind]?.from ?? 12))
    .map((one) => ({
      text: one.name,
      at: [one.at[1], one.at[0]],
      type: one.kind,
      priority: isCore(one) ? 6 : (LANDMARKS[one.kind]?.priority ?? 60),
      must: isCore(one),
      mark: isCore(one) ? "core" : one.kind === "centre" ? "centre" : null,
    }));
}

function gatewayNames({ catalogue }, theme, zoom) {
  if (zoom < GATEWAYS_FROM || theme.layers.includes("gateways")) return [];
  return catalogue
    .featuresOf({ layers: ["gateways"] })
    .filter((one) => one.point)
    .map((one) => ({ text: one.name, at: catalogue.anchorOf(one), type: "gateway", priority: 58, mark: one.kind }));
}

function townNames({ catalogue }, zoom) {
  if (zoom < TOWNS_FROM) return [];
  return catalogue.payload.towns.map((one) => ({
    text: one.name,
    at: [one.at[1], one.at[0]],
    type: "town",
    priority: 64,
    mark: "town",
  }));
}
