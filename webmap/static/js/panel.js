/** The detail panel: right of the map, or a bottom sheet where the window is narrow. */

import { fetchDocument } from "./data.js";
import { sectionsOf, tagsOf } from "./detail.js";
import { byId, el } from "./dom.js";
import { markChips } from "./industries.js";
import { placeLink } from "./pieces.js";
import { served, sheets } from "./served.js";
import { createSheet } from "./sheet.js";
import { badgeIcon } from "./symbols.js";
import { lang, local, t } from "./words.js";

export function createPanel(app) {
  const { state, catalogue, map, view } = app;
  const panel = byId("panel");
  const [title, lead, body] = ["panel-title", "panel-lead", "panel-body"].map(byId);
  const sheet = createSheet(panel);
  let asking = null;
  let opener = null;

  async function open(feature) {
    asking?.abort();
    asking = new AbortController();
    const { signal } = asking;
    writeHead(feature);
    panel.setAttribute("aria-busy", "true");
    body.replaceChildren(el("p", { class: "muted", text: t("map.loading") }));
    byId("panel-scroll").scrollTop = 0;
    if (panel.hidden) sheet.set("mid");
    panel.hidden = false;
    byId("atlas").classList.add("with-panel");
    try {
      const doc = await fetchDocument(feature, signal);
      if (!signal.aborted) write(doc);
    } catch (error) {
      if (!signal.aborted) fail(feature, error);
    }
  }

  function writeHead(feature) {
    const chinese = lang() !== "zh" && feature.zh !== feature.name;
    title.replaceChildren(
      ...(feature.letter && feature.colour ? [badgeIcon(feature)] : []),
      el("span", { text: feature.name }),
      ...(chinese ? [el("span", { class: "zh", lang: "zh", text: feature.zh })] : []),
    );
    lead.replaceChildren(el("span", { text: t(`kind.${feature.kind}`) }));
  }

  function write(doc) {
    panel.removeAttribute("aria-busy");
    if (doc.parent) lead.append(" · ", placeLink(app, doc.parent));
    body.replaceChildren(el("p", { class: "tags" }, tagsOf(doc)), actions(doc), ...sectionsOf(app, doc));
    markChips(body, state.get().industry);
  }

  function actions(doc) {
    const feature = catalogue.features.get(doc.id);
    const zoom = el("button", {
      type: "button",
      class: "button",
      onclick: () => view.showFeature(doc.id),
      text: t("map.zoom_here"),
    });
    const copied = el("span", { class: "copied", role: "status" });
    const copy = el("button", {
      type: "button",
      class: "button",
      onclick: () => copyLink(copied),
      text: t("map.copy_link"),
    });
    const page = el("a", { class: "button main", href: local(doc.url), text: t("map.full_page") });
    const paper = sheets ? el("a", { class: "button", href: local(`${doc.url}.pdf`), text: t("map.one_page") }) : null;
    const compare = served && doc.memberships
      ? el("a", { class: "button", href: local(`/compare?zones=${doc.id}`), text: t("map.compare") })
      : null;
    return el("p", { class: "actions" }, page, paper, catalogue.isLocated(feature) ? zoom : null, compare, copy, copied);
  }

  function fail(feature, error) {
    panel.removeAttribute("aria-busy");
    const again = el("button", { type: "button", class: "button", onclick: () => open(feature), text: t("map.retry") });
    body.replaceChildren(el("p", { class: "nothing", text: t("map.detail_failed", { reason: error.message }) }), again);
  }

  function close() {
    asking?.abort();
    panel.hidden = true;
    byId("atlas").classList.remove("with-panel");
    if (opener?.isConnected && (panel.contains(document.activeElement) || document.activeElement === document.body))
      opener.focus();
    opener = null;
  }

  byId("panel-close").addEventListener("click", () => state.set({ zone: null }, "key"));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented && !panel.hidden) state.set({ zone: null }, "key");
  });
  state.subscribe((now, before, origin) => {
    if (now.zone !== before.zone) {
      const feature = catalogue.features.get(now.zone);
      if (!feature) return close();
      if (!panel.contains(document.activeElement)) opener = document.activeElement;
      open(feature);
      if (origin !== "map" && origin !== "history") title.focus({ preventScroll: true });
    } else if (now.industry !== before.industry) markChips(body, now.industry);
    return null;
  });
  const first = catalogue.features.get(state.get().zone);
  if (first) open(first);
  else byId("atlas").classList.remove("with-panel");
  map.on("unload", () => asking?.abort());
}

/** Copy the address of this view; where the browser forbids it, show it to be copied by hand. */
async function copyLink(place) {
  const url = window.location.href;
  try {
    await navigator.clipboard.writeText(url);
    place.textContent = t("map.copied");
  } catch {
    const input = el("input", { type: "text", readonly: true, "aria-label": t("map.link") });
    input.value = url;
    place.replaceChildren(input);
    input.select();
  }
}
