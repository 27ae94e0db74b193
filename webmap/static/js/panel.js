/** The detail panel: right of the map, or a bottom sheet where the window is narrow. The server writes what it says. */

import { byId, el, narrow } from "./dom.js";
import { fetchFragment, lang, t } from "./site.js";
import { badgeIcon } from "./symbols.js";

/* The bottom sheet of narrow windows: three heights, by drag, by button, by key. */

const HEIGHTS = ["low", "mid", "high"];

/** Make `element` a sheet and return `{set, height}`; its bar holds the two buttons. */
export function createSheet(element, onChange = () => {}) {
  const bar = element.querySelector(".sheet-bar");
  const [raise, lower] = ["raise", "lower"].map((name) => bar.querySelector(`.${name}`));
  let drag = null;

  const level = () => HEIGHTS.indexOf(element.dataset.height);

  function set(name) {
    element.dataset.height = name;
    const focused = document.activeElement;
    raise.disabled = name === "high";
    lower.disabled = name === "low";
    if (focused === raise && raise.disabled) lower.focus(); // a button without use would lose the focus
    if (focused === lower && lower.disabled) raise.focus();
    onChange(name);
  }

  const step = (by) => set(HEIGHTS[Math.min(2, Math.max(0, level() + by))]);

  raise.addEventListener("click", () => step(1));
  lower.addEventListener("click", () => step(-1));
  bar.addEventListener("keydown", (event) => {
    const by = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (!by || !narrow.matches) return;
    event.preventDefault();
    step(by);
  });
  bar.addEventListener("pointerdown", (event) => {
    if (!narrow.matches || event.target.closest("button")) return;
    drag = { from: event.clientY, height: element.offsetHeight };
    bar.setPointerCapture(event.pointerId);
    element.classList.add("dragging");
  });
  bar.addEventListener("pointermove", (event) => {
    if (drag) element.style.height = `${Math.max(48, drag.height + drag.from - event.clientY)}px`;
  });
  for (const name of ["pointerup", "pointercancel"]) bar.addEventListener(name, (event) => drag && drop(event));

  function drop(event) {
    const moved = drag.from - event.clientY;
    const height = drag.height + moved;
    drag = null;
    element.classList.remove("dragging");
    element.style.height = "";
    if (Math.abs(moved) < 6) set(level() === 2 ? "low" : HEIGHTS[level() + 1]);
    else set(nearest(height));
  }

  /** Return the level whose height is nearest, as the style sheet sets them. */
  function nearest(height) {
    const room = byId("atlas").clientHeight;
    const sizes = [56, room * 0.48, room - 52];
    return HEIGHTS[
      sizes.reduce((best, size, index) => (Math.abs(size - height) < Math.abs(sizes[best] - height) ? index : best), 0)
    ];
  }

  set(element.dataset.height || "low");
  return { set, height: () => (narrow.matches && !element.hidden ? element.offsetHeight : 0) };
}

/* The detail panel: right of the map, or a bottom sheet where the window is narrow. The server writes what it says. */

export function createPanel(app) {
  const { state, catalogue, map, view } = app;
  const panel = byId("panel");
  const [title, lead, body] = ["panel-title", "panel-lead", "panel-body"].map(byId);
  const sheet = createSheet(panel);
  let asking = null;
  let opener = null;

  function unfold(...nodes) {
    body.replaceChildren(...nodes);
    byId("panel-scroll").scrollTop = 0;
    if (panel.hidden) sheet.set("mid");
    panel.hidden = false;
    byId("atlas").classList.add("with-panel");
  }

  async function open(feature) {
    asking?.abort();
    asking = new AbortController();
    const { signal } = asking;
    writeHead(feature);
    panel.setAttribute("aria-busy", "true");
    unfold(el("p", { class: "muted", text: t("map.loading") }));
    try {
      const nodes = await fetchFragment(`${feature.url}.panel.html`, signal);
      if (!signal.aborted) body.replaceChildren(...nodes);
      markChips();
    } catch (error) {
      if (!signal.aborted) fail(feature, error);
    }
    if (!signal.aborted) panel.removeAttribute("aria-busy");
  }

  function writeHead(feature) {
    const chinese = lang() !== "zh" && feature.zh !== feature.name;
    title.replaceChildren(
      ...(feature.letter && feature.colour ? [badgeIcon(feature)] : []),
      el("span", { text: feature.name }),
      ...(chinese ? [" ", el("span", { class: "zh", lang: "zh", text: feature.zh })] : []),
    );
    lead.textContent = feature.lead ?? t(`kind.${feature.kind}`);
  }

  function fail(feature, error) {
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

  /** Show on the chips which industry the map is filtered by. */
  function markChips() {
    const { industry } = state.get();
    for (const chip of body.querySelectorAll("[data-industry]"))
      chip.setAttribute("aria-pressed", String(chip.dataset.industry === industry));
  }

  /** A place that the map has opens on it, unless the reader asks for a tab of its own. */
  function follow(event, link) {
    const id = link.dataset.place;
    if (event.ctrlKey || event.metaKey || event.shiftKey || !catalogue.features.has(id)) return;
    event.preventDefault();
    state.set({ zone: id, theme: catalogue.themeFor(id, state.get().theme) }, "link");
  }

  body.addEventListener("click", (event) => {
    const hit = event.target.closest("[data-place], [data-industry], [data-act]");
    if (!hit) return;
    const { place, industry, act } = hit.dataset;
    if (place) follow(event, hit);
    else if (industry) state.set({ industry: state.get().industry === industry ? null : industry, cluster: null }, "key");
    else if (act === "zoom") view.showFeature(state.get().zone);
    else if (act === "copy") copyLink(body.querySelector(".copied"));
  });
  /** Show something that is no place of the map; it goes when a place is chosen. */
  function show(heading, said, nodes) {
    state.set({ zone: null, own: null }, "key");
    title.textContent = heading;
    lead.textContent = said;
    unfold(...nodes);
    title.focus({ preventScroll: true });
  }

  const leave = () => (state.get().zone || state.get().own ? state.set({ zone: null, own: null }, "key") : close());
  const selectedIn = ({ zone, own }) => catalogue.features.get(zone) ?? (own && app.own.featureOf(own));
  byId("panel-close").addEventListener("click", leave);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented && !panel.hidden) leave();
  });
  state.subscribe((now, before, origin) => {
    if (now.zone !== before.zone || now.own !== before.own) {
      const feature = selectedIn(now);
      if (!feature) return close();
      if (!panel.contains(document.activeElement)) opener = document.activeElement;
      open(feature);
      if (origin !== "map" && origin !== "history") title.focus({ preventScroll: true });
    } else if (now.industry !== before.industry) markChips();
    return null;
  });
  const first = selectedIn(state.get());
  if (first) open(first);
  else byId("atlas").classList.remove("with-panel");
  map.on("unload", () => asking?.abort());
  return { show, open };
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
