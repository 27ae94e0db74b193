/** A button that prints the page; it appears only with scripts. */

export function bindPrinting() {
  for (const button of document.querySelectorAll("button.print-page")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }
}
