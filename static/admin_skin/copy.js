// A “Copy” button beside each value that is there to be copied. Without script, one click selects the whole value.
"use strict";

const SHOWN_FOR_MS = 2000;

for (const value of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) {
    break;
  }
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = value.dataset.copy;
  button.setAttribute("aria-live", "polite");
  const label = value.dataset.label ?? value.getAttribute("aria-labelledby");
  if (label) {
    button.setAttribute("aria-describedby", label);
  }
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(value.textContent);
    button.textContent = value.dataset.copied;
    setTimeout(() => {
      button.textContent = value.dataset.copy;
    }, SHOWN_FOR_MS);
  });
  value.after(button);
}
