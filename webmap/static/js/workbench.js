/** The workbench: files that are dropped, a slider between before and after, waiting, one click at a time. */

import { at } from "./site.js";

const POLL_MS = 1000;

/* Files may be dropped on their field; what is chosen is told. */

function bindDropping() {
  const zone = document.querySelector(".drop");
  if (!zone) return;
  const field = zone.querySelector("input");
  const told = zone.querySelector(".dropped");
  const tell = () => {
    const names = [...field.files].map((file) => file.name);
    const megabytes = [...field.files].reduce((sum, file) => sum + file.size, 0) / 1e6;
    const large = megabytes > Number(zone.dataset.most) ? zone.dataset.large.replace("{size}", Math.ceil(megabytes)) : "";
    field.setCustomValidity(large);
    const chosen = names.length ? `${zone.dataset.dropped.replace("{count}", names.length)} ${names.join(", ")}` : "";
    told.textContent = `${chosen} ${large}`.trim();
  };
  for (const name of ["dragenter", "dragover"]) {
    zone.addEventListener(name, (event) => {
      event.preventDefault();
      zone.classList.add("over");
    });
  }
  for (const name of ["dragleave", "drop"]) zone.addEventListener(name, () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    if (!event.dataTransfer.files.length) return;
    if ([...event.dataTransfer.items].some((item) => item.webkitGetAsEntry()?.isDirectory)) {
      told.textContent = zone.dataset.folder; // such as a File Geodatabase: a form cannot send it
      return;
    }
    field.files = event.dataTransfer.files;
    tell();
  });
  field.addEventListener("change", tell);
}

/* The later map lies over the earlier one, cut at the slider. Without scripts they stand side by side. */

function bindSliding() {
  const maps = document.querySelector(".before-after");
  const row = document.querySelector(".slide");
  if (!maps || maps.children.length < 2) return;
  const slider = row.querySelector("input");
  const cut = () => maps.style.setProperty("--at", `${slider.value}%`);
  maps.classList.add("sliding");
  row.hidden = false;
  slider.addEventListener("input", cut);
  maps.addEventListener("pointerdown", (event) => {
    if (!event.target.closest("a")) follow(event);
  });
  const follow = (event) => {
    const move = ({ clientX }) => {
      const { left, width } = maps.getBoundingClientRect();
      slider.value = String(Math.min(Math.max(((clientX - left) / width) * 100, 0), 100));
      cut();
    };
    move(event);
    maps.addEventListener("pointermove", move);
    for (const name of ["pointerup", "pointercancel", "pointerleave"]) {
      maps.addEventListener(name, () => maps.removeEventListener("pointermove", move), { once: true });
    }
  };
  cut();
}

/* A page that waits for a check or a publication shows it as soon as it is there. */

function bindWaiting() {
  const note = document.querySelector(".waiting[data-state]");
  if (!note) return;
  const look = async () => {
    try {
      const response = await fetch(at(note.dataset.state), { headers: { Accept: "application/json" } });
      if (response.redirected || !(await response.json()).busy) return window.location.reload();
    } catch {
      // the server is away for a moment: it is asked again
    }
    setTimeout(look, POLL_MS);
  };
  setTimeout(look, POLL_MS);
}

/* What somebody writes is kept in the tab until it has arrived: a session may end meanwhile. */

const KEPT = "input[name=source], input[name=licence], textarea";

function bindKeeping() {
  const key = (field) => `typed:${window.location.pathname}:${field.name}`;
  const fields = [...document.querySelectorAll("main form")].flatMap((form) => [...form.querySelectorAll(KEPT)]);
  const present = new Set(fields.map(key));
  for (const one of Object.keys(sessionStorage)) {
    if (one.startsWith(`typed:${window.location.pathname}:`) && !present.has(one)) sessionStorage.removeItem(one);
  }
  for (const field of fields) {
    field.value = sessionStorage.getItem(key(field)) ?? field.value;
    field.addEventListener("input", () => sessionStorage.setItem(key(field), field.value));
  }
  // A drawing that was sent has arrived once there is a page of its draft.
  const sent = window.location.pathname.includes("/drafts/") && sessionStorage.getItem("sent");
  if (sent) for (const one of [sent, "sent"]) sessionStorage.removeItem(one);
}

/* Moments are shown in the reader's own time. */

function showMoments() {
  const format = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
  for (const one of document.querySelectorAll("main time[datetime]")) {
    one.title = one.textContent;
    one.textContent = format.format(new Date(one.dateTime));
  }
}

/* A form is sent once, however often its button is pressed. */

function bindSending() {
  for (const form of document.querySelectorAll("main form")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "yes";
    });
  }
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("main form[data-sent]")) delete form.dataset.sent;
  });
}

bindDropping();
bindSliding();
bindWaiting();
bindKeeping();
showMoments();
bindSending();
