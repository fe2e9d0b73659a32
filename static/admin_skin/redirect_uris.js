// Says of redirect URIs, as they are typed, what the server would say when they are saved. The server knows the rules.
"use strict";

const PAUSE_MS = 400;

for (const list of document.querySelectorAll("[data-check-uris]")) {
  const field = document.getElementById(list.dataset.for);
  const token = document.querySelector("[name=csrfmiddlewaretoken]");
  if (!field || !token) {
    continue;
  }
  let timer = 0;
  let asked = 0;

  const show = (remarks) => {
    list.replaceChildren(
      ...remarks.map((remark) => {
        const item = document.createElement("li");
        item.className = remark.isProblem ? "problem" : "";
        item.textContent = remark.message;
        return item;
      }),
    );
    const hasProblem = remarks.some((remark) => remark.isProblem);
    field.setAttribute("aria-invalid", String(hasProblem));
  };

  const check = async () => {
    asked += 1;
    const question = asked;
    const body = new URLSearchParams({ uris: field.value, kind: list.dataset.kind });
    try {
      const answer = await fetch(list.dataset.checkUris, {
        method: "POST",
        headers: { "X-CSRFToken": token.value },
        body,
      });
      // A later question overtakes an earlier answer. Without an answer, saving will tell.
      if (question === asked && answer.ok) {
        show((await answer.json()).remarks);
      }
    } catch {
      show([]);
    }
  };

  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(check, PAUSE_MS);
  });
}
