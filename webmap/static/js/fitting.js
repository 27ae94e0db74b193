/** The form of downloads: what does not go together is greyed, why is said, and the file's address is shown. */

import { byId } from "./dom.js";

const FALLS_BACK = ["format", "crs", "geometry", "theme"]; // to what goes, until it goes again

export function bindFitting() {
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
