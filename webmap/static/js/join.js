/** The page that joins a table: the preview comes without leaving it, so that the file stays chosen for the download. */

import { byId } from "./dom.js";

const PARTS = ["join-options", "join-answer"]; // what of the page the answer changes

/** Send the table, and show what the server's page says of it. */
async function preview(form) {
  const answer = byId("join-answer");
  answer.replaceChildren(Object.assign(document.createElement("p"), { textContent: form.dataset.working }));
  const body = new FormData(form);
  const response = await fetch(form.action, { method: "POST", body, headers: { Accept: "text/html" } });
  const sent = new DOMParser().parseFromString(await response.text(), "text/html");
  if (PARTS.some((id) => !sent.getElementById(id))) throw new Error(String(response.status));
  for (const id of PARTS) byId(id).replaceWith(document.adoptNode(sent.getElementById(id)));
  for (const name of ["aria-invalid", "aria-describedby"]) {
    const value = sent.getElementById("file").getAttribute(name);
    if (value) byId("file").setAttribute(name, value);
    else byId("file").removeAttribute(name);
  }
  const wrong = form.querySelector("[aria-invalid]");
  (wrong ?? byId("join-answer")).focus();
}

const form = byId("join-form");
form.addEventListener("submit", async (event) => {
  if (event.submitter?.value) return; // a download leaves the page where it is
  event.preventDefault();
  form.setAttribute("aria-busy", "true");
  try {
    await preview(form);
  } catch {
    form.submit(); // the server's own page says what is wrong
  } finally {
    form.removeAttribute("aria-busy");
  }
});
