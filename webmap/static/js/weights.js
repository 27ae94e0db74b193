/** Sliders that show their number while they are moved. Without scripts the number is the one last sent. */

export function bindWeights() {
  for (const slider of document.querySelectorAll(".slider input[type=range]")) {
    const shown = slider.parentElement.querySelector("output");
    slider.addEventListener("input", () => (shown.value = slider.value));
  }
}
