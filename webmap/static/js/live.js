/** Say changes aloud: the one live region of the page. */

import { byId } from "./dom.js";
import { t } from "./site.js";

export function createLive(app) {
  const { state, catalogue } = app;
  const region = byId("live");

  state.subscribe((now, before) => {
    const parts = [];
    if (now.theme !== before.theme) parts.push(themeText(now));
    if (now.industry !== before.industry || now.cluster !== before.cluster) parts.push(filterText(now));
    if (now.zone !== before.zone || now.own !== before.own) parts.push(selectionText(now));
    region.textContent = parts.join(" ");
  });

  const listed = (now) => catalogue.featuresOf(catalogue.themes.get(now.theme));

  function themeText(now) {
    return t("map.said_theme", { theme: catalogue.themes.get(now.theme).title, count: listed(now).length });
  }

  function filterText(now) {
    if (!catalogue.isFiltered(now)) return t("map.said_unfiltered");
    const count = listed(now).filter((one) => catalogue.matches(one, now)).length;
    return t("map.said_filter", { count });
  }

  function selectionText(now) {
    const feature = catalogue.features.get(now.zone) ?? (now.own && app.own.featureOf(now.own));
    return feature
      ? t("map.said_selected", { name: feature.name, kind: feature.lead ?? t(`kind.${feature.kind}`) })
      : t("map.said_closed");
  }
}
