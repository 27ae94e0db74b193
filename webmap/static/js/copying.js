/** Buttons that copy the text beside them; they appear only where the browser lets a page copy. */

const SHOWN_MS = 1600;

export function bindCopying() {
  if (!navigator.clipboard) return;
  for (const button of document.querySelectorAll("button.copy")) {
    const field = button.parentElement.querySelector("input, textarea");
    const label = button.textContent;
    button.hidden = false;
    button.setAttribute("aria-live", "polite");
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(field.value);
        button.textContent = field.dataset.copied;
        setTimeout(() => (button.textContent = label), SHOWN_MS);
      } catch {
        field.select(); // the reader can still copy by hand
      }
    });
  }
}
