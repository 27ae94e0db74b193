/** The introduction of a first visit, and a tour over views that are addresses like any other. */

import { byId } from "./dom.js";

const KEY = "introduced";
const PLAIN = { zone: null, industry: null, cluster: null, q: null, layers: null, hide: null, pick: null, swipe: null };

/** Whether the reader has put the introduction away before; where nothing can be kept, never. */
function isKnown() {
  try {
    return localStorage.getItem(KEY) !== null;
  } catch {
    return false;
  }
}

function keepAway() {
  try {
    localStorage.setItem(KEY, "1");
  } catch {
    // it stays away as long as the page is open
  }
}

/**
 * Return the views of the tour by name: themes, a place, an industry, clusters, points. A city has those of which
 * it has something to show.
 */
function viewsOf(catalogue) {
  const themes = [...catalogue.themes.values()];
  const most = (rows, count) => [...rows].sort((one, other) => count(other) - count(one))[0]?.id;
  const zones = [...catalogue.features.values()].filter((one) => one.layer === "zones" && catalogue.isLocated(one));
  const industries = Object.keys(catalogue.payload.industries).map((id) => ({ id }));
  const first = themes[0].id;
  const views = {
    themes: { theme: first },
    place: { theme: first, zone: most(zones, (one) => one.industries.length) },
    industry: { theme: first, industry: most(industries, ({ id }) => catalogue.placesFor(id).length) },
    clusters: { theme: themes.find((one) => one.colour_by === "cluster")?.id },
    points: { theme: themes.find((one) => one.layers.includes("platforms"))?.id },
  };
  return Object.entries(views).filter(([, view]) => Object.values(view).every(Boolean));
}

/** Show the introduction if the reader comes for the first time and asks for nothing, or the view of the tour asked for. */
export function createGuide({ map, state, catalogue, view }, isBare) {
  const box = byId("guide");
  if (!box) return; // an embedded map has none
  const [back, next, at] = ["guide-back", "guide-next", "guide-at"].map(byId);
  const views = viewsOf(catalogue);
  const stepOf = ({ tour }) => Math.min(Number(tour ?? 0), views.length); // an address may ask for a view that this city lacks
  let opener = null;

  /** Show a view's text, or the introduction for 0; `focus` where the reader asked for it. */
  function show(step, focus) {
    const name = step ? views[step - 1][0] : "reading";
    for (const one of box.querySelectorAll("[data-step]")) one.hidden = one.dataset.step !== name;
    box.classList.toggle("is-tour", Boolean(step)); // its views need the foot of a narrow window
    at.textContent = step ? `${step} / ${views.length}` : "";
    back.hidden = step < 2;
    next.textContent = next.dataset[step === views.length ? "end" : step ? "next" : "start"];
    if (box.hidden) opener = document.activeElement;
    box.hidden = false;
    if (focus) box.querySelector("[data-step]:not([hidden]) h2").focus({ preventScroll: true });
  }

  function hide() {
    if (box.hidden) return;
    const within = box.contains(document.activeElement);
    box.hidden = true;
    keepAway();
    view.refit();
    if (within) (opener?.checkVisibility?.() && opener !== document.body ? opener : map.getContainer()).focus({ preventScroll: true });
  }

  const close = () => (state.get().tour ? state.set({ tour: null }, "map") : hide());

  function go(step) {
    if (step > views.length) return close();
    keepAway();
    state.set({ ...PLAIN, ...views[step - 1][1], tour: String(step) }, "map");
    return state.get().zone ? null : view.showAll();
  }

  const step = () => stepOf(state.get());
  next.addEventListener("click", () => go(step() + 1));
  back.addEventListener("click", () => go(step() - 1));
  byId("guide-close").addEventListener("click", close);
  byId("open-guide").addEventListener("click", () => {
    state.set({ tour: null }, "map");
    show(0, true);
  });
  box.addEventListener("keydown", (event) => {
    const act = { ArrowRight: () => go(step() + 1), ArrowLeft: () => step() > 1 && go(step() - 1), Escape: close }[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  });
  state.subscribe((now, before) => now.tour !== before.tour && (now.tour ? show(stepOf(now), true) : hide()));
  if (step()) show(step(), false);
  else if (isBare && !isKnown()) show(0, false);
}
