/** Open what was found: on the map where it is there. */

/** Return whether the map could show the result. */
export function openOnMap({ state, catalogue, view }, { id, layer, at }) {
  if (catalogue.features.has(id)) {
    state.set({ zone: id, theme: catalogue.themeFor(id, state.get().theme) }, "search");
  } else if (layer === "clusters" && catalogue.clusters.has(id)) {
    state.set({ theme: "clusters", cluster: id, industry: null, zone: null }, "search");
  } else if (layer === "industries" && Object.hasOwn(catalogue.payload.industries, id)) {
    state.set({ industry: id, cluster: null, zone: null }, "search");
  } else if (at) {
    view.flyTo([at[1], at[0]], 12.5);
  } else {
    return false;
  }
  return true;
}
