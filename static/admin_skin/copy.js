// A “Copy” button beside each value that is there to be copied. Without script, one click selects the whole value.
"use strict";

for (const value of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) {
    break;
  }
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = value.dataset.copy;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(value.textContent);
    button.textContent = value.dataset.copied;
  });
  value.after(button);
}
