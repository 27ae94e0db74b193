/** Open what was found: on the map where it is there. */

const POINTS = new Set(["platforms", "gateways"]);

/** Return whether the map could show the result. */
export function openOnMap({ state, catalogue, view }, { id, layer, at }) {
  if (catalogue.features.has(id)) {
    state.set({ zone: id, theme: catalogue.themeFor(id, state.get().theme) }, "search");
  } else if (layer === "clusters" && catalogue.clusters.has(id)) {
    state.set({ theme: "clusters", cluster: id, industry: null, zone: null }, "search");
  } else if (layer === "industries" && isDesignated(catalogue, id)) {
    state.set({ industry: id, cluster: null, zone: null }, "search");
  } else if (at) {
    view.flyTo([at[1], at[0]], 12.5);
  } else {
    return false;
  }
  return true;
}

/** Return whether the map can show an industry: one that no place is designated for has only its page. */
function isDesignated(catalogue, industry) {
  const places = [...catalogue.features.values()].filter((one) => !POINTS.has(one.layer));
  return places.some((one) => one.industries?.includes(industry));
}
