/** What scripts add to the pages that are readable without them. */

import { bindBasket } from "./basket.js";
import { bindCopying, byId, showCurrent } from "./dom.js";
import { createSearch } from "./search.js";

/* The form of downloads: what does not go together is greyed, why is said, and the file's address is shown. */

const FALLS_BACK = ["format", "crs", "geometry", "theme"]; // to what goes, until it goes again

function bindFitting() {
  const form = byId("choose-form");
  if (!form) return;
  const fields = form.elements;
  const wishes = new Map(FALLS_BACK.map((name) => [name, fields[name].value]));

  function update() {
    const before = new Map(FALLS_BACK.map((name) => [name, label(fields[name])]));
    const holds = picked(fields.layer).dataset.holds;
    const goes = (field) => !field.dataset.goesWith || list(field.dataset.goesWith).includes(holds);
    const told = (key, values) => fill(form.dataset[key], values);

    const formats = told("formats", { layer: label(fields.layer) });
    limit("format", (one) => list(one.dataset.holds).includes(holds), formats);
    const { frames, geometry } = picked(fields.format).dataset;
    const fixed = told("fixed", { format: label(fields.format) });
    const crs = (one) => goes(fields.crs) && list(frames).includes(one.value);
    limit("crs", (one) => !one.value || crs(one), goes(fields.crs) ? fixed : told("table"));
    const place = goes(fields.geometry) && geometry;
    limit("geometry", (one) => !one.value || place, goes(fields.geometry) ? told("text") : told("table"));
    limit("theme", (one) => !one.value || goes(fields.theme), told("whole"));
    lock(fields.filter, !goes(fields.filter), told("single"));

    const changed = FALLS_BACK.filter((name) => before.get(name) !== label(fields[name]));
    const say = (name) => told("changed", { before: before.get(name), after: label(fields[name]) });
    form.querySelector(".changed").textContent = changed.map(say).join(" ");
    form.querySelector(".address input").value = address();
  }

  /** Grey the choices that do not fit; what was wished for comes back as soon as it fits. */
  function limit(name, fits, why) {
    const field = fields[name];
    const options = [...field.options];
    for (const one of options) one.disabled = !fits(one);
    const wished = options.find((one) => one.value === wishes.get(name) && !one.disabled);
    (wished ?? options.find((one) => !one.disabled)).selected = true;
    field.setAttribute("aria-disabled", String(options.filter((one) => !one.disabled).length === 1));
    explain(field, options.some((one) => one.disabled) ? why : "");
  }

  /** What is sent: nothing empty, nothing that means nothing here. */
  function sent(data) {
    return [...data].filter(([name, value]) => value && !fields[name].readOnly);
  }

  function address() {
    const pairs = sent(new FormData(form)).filter(([name]) => !["layer", "format", "lang"].includes(name));
    const query = new URLSearchParams(pairs).toString();
    return `${form.dataset.files}${fields.layer.value}.${fields.format.value}${query ? `?${query}` : ""}`;
  }

  form.addEventListener("input", ({ target }) => {
    if (wishes.has(target.name)) wishes.set(target.name, target.value);
    update();
  });
  form.addEventListener("formdata", ({ formData }) => {
    const kept = sent(formData);
    for (const name of new Set(formData.keys())) formData.delete(name);
    for (const [name, value] of kept) formData.append(name, value);
  });
  form.querySelector(".address").hidden = false;
  update();
}

/** A field that means nothing here can still be reached and read; its text stays, and is not sent. */
function lock(field, locked, why) {
  field.readOnly = locked;
  field.setAttribute("aria-disabled", String(locked));
  explain(field, locked ? why : "");
}

function explain(field, why) {
  byId(field.getAttribute("aria-describedby")).textContent = why;
}

const picked = (select) => select.selectedOptions[0];
const label = (select) => picked(select).label;
const list = (words) => words.split(" ");
const fill = (text, values = {}) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

/* A matrix walked with the arrow keys: one stop for Tab, then from cell to cell. */

const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

function bindGrid() {
  const table = document.querySelector(".matrix table");
  if (!table) return;
  const rows = [...table.rows].map((row) => [...row.cells]);
  for (const cell of rows.flat()) for (const node of [cell, ...cell.querySelectorAll("a")]) node.tabIndex = -1;
  table.setAttribute("role", "grid");
  table.setAttribute("aria-labelledby", "matrix");
  let at = [0, 0];
  stop(rows[0][0]).tabIndex = 0;

  function move(row, column) {
    const to = [clamp(row, rows.length), clamp(column, rows[clamp(row, rows.length)].length)];
    stop(rows[at[0]][at[1]]).tabIndex = -1;
    at = to;
    const node = stop(rows[at[0]][at[1]]);
    node.tabIndex = 0;
    node.focus();
  }

  table.addEventListener("focusin", (event) => {
    const cell = event.target.closest("th, td");
    const row = rows.findIndex((cells) => cells.includes(cell));
    if (row >= 0) at = [row, rows[row].indexOf(cell)];
  });

  table.addEventListener("keydown", (event) => {
    const [row, column] = at;
    const last = rows[row].length - 1;
    if (event.key in STEPS) move(row + STEPS[event.key][0], column + STEPS[event.key][1]);
    else if (event.key === "Home") move(event.ctrlKey ? 0 : row, 0);
    else if (event.key === "End") move(event.ctrlKey ? rows.length - 1 : row, last);
    else if (event.key === "PageDown") move(row + 10, column);
    else if (event.key === "PageUp") move(row - 10, column);
    else return;
    event.preventDefault();
  });
}

/** What takes the focus in a cell: its first link, or the cell itself. */
function stop(cell) {
  return cell.querySelector("a") ?? cell;
}

function clamp(value, length) {
  return Math.min(Math.max(value, 0), length - 1);
}

/* The text beside a small map and the map's places light each other up, by pointer and by focus. */

/** Light the places named by any element with `data-places`, and the rows that name a lit place. */
function bindLighting() {
  const spots = new Map();
  for (const spot of document.querySelectorAll(".sketch .spot")) spots.set(spot.dataset.place, spot);
  if (!spots.size) return;
  const rows = [...document.querySelectorAll("[data-places]")].filter((row) => row.dataset.places);
  const labels = [...document.querySelectorAll("[data-label]")]; // one for each size of the map

  const light = (places, on) => {
    for (const place of places) {
      spots.get(place)?.classList.toggle("lit", on);
      for (const label of labels) if (label.dataset.label === place) label.classList.toggle("lit", on);
    }
    document.querySelector(".sketch").classList.toggle("lighting", on && places.some((place) => spots.has(place)));
  };
  const follow = (node, change) => {
    node.addEventListener("pointerenter", () => change(true));
    node.addEventListener("pointerleave", () => change(false));
    node.addEventListener("focusin", () => change(true));
    node.addEventListener("focusout", () => change(false));
  };
  for (const row of rows) follow(row, (on) => light(row.dataset.places.split(" "), on));
  for (const [place, spot] of spots) {
    const naming = rows.filter((row) => row.dataset.places.split(" ").includes(place));
    follow(spot, (on) => {
      for (const row of naming) row.classList.toggle("lit", on);
      light([place], on);
    });
  }
}

/* A button that prints the page; it appears only with scripts. */

function bindPrinting() {
  for (const button of document.querySelectorAll("button.print-page")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }
}

/* Sliders that show their number while they are moved. Without scripts the number is the one last sent. */

function bindWeights() {
  for (const slider of document.querySelectorAll(".slider input[type=range]")) {
    const shown = slider.parentElement.querySelector("output");
    slider.addEventListener("input", () => (shown.value = slider.value));
  }
}

/* What the pages add for a reader with scripts: places lit up, copying, printing, searching, sliders, arrow keys, choosing files. */

bindLighting();
bindCopying();
bindPrinting();
bindWeights();
bindGrid();
bindFitting();
bindBasket();
showCurrent();
createSearch();
