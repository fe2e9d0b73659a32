// Enhancements only: every page works without this file.
"use strict";

// A second click on a form that is on its way sends nothing.
const SEND_AGAIN_AFTER = 5000;
for (const form of document.querySelectorAll("form[data-once]")) {
  let sentAt = 0;
  form.addEventListener("submit", (event) => {
    if (Date.now() - sentAt < SEND_AGAIN_AFTER) {
      event.preventDefault();
    } else {
      sentAt = Date.now();
    }
  });
  // Back from the next page, the browser may show this one as it was left.
  addEventListener("pageshow", () => { sentAt = 0; });
}

// The error summary has autofocus, which not every browser heeds on a div.
const summary = document.querySelector(".summary");
if (summary) {
  summary.focus();
  for (const link of summary.querySelectorAll("a")) {
    link.addEventListener("click", (event) => {
      const control = document.getElementById(link.hash.slice(1));
      if (control) {
        event.preventDefault();
        control.closest(".field").scrollIntoView();
        control.focus({ preventScroll: true });
      }
    });
  }
}

// What is typed as dots can be looked at. It is sent as a password again, so that browsers know it as one.
for (const reveal of document.querySelectorAll("[data-reveal]")) {
  const field = document.getElementById(reveal.dataset.reveal);
  const show = (isShown) => {
    field.type = isShown ? "text" : "password";
    reveal.setAttribute("aria-pressed", isShown);
  };
  reveal.hidden = false;
  reveal.addEventListener("click", () => { show(field.type === "password"); });
  field.form.addEventListener("submit", () => { show(false); });
}

const strength = document.querySelector("[data-strength]");
if (strength) {
  const field = document.getElementById(strength.dataset.strength);
  field.addEventListener("input", () => {
    const { min, short, long } = strength.dataset;
    const count = [...field.value].length;
    strength.hidden = !count;
    strength.textContent = count < min ? short.replace("{count}", count) : long;
  });
}

// The server keeps the wait before another code; this counts it down.
const resend = document.querySelector("[data-wait]");
if (resend) {
  const note = document.getElementById("wait");
  const readyAt = Date.now() + resend.dataset.wait * 1000;
  const seconds = new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit: "second" });
  const tick = () => {
    const left = Math.ceil((readyAt - Date.now()) / 1000);
    note.hidden = left <= 0;
    if (note.hidden) {
      resend.removeAttribute("aria-disabled");
      resend.removeAttribute("aria-describedby");
      return;
    }
    note.querySelector("[data-seconds]").textContent = seconds.format(left);
    setTimeout(tick, 1000);
  };
  resend.setAttribute("aria-disabled", "true");
  resend.addEventListener("click", (event) => {
    if (resend.hasAttribute("aria-disabled")) {
      event.preventDefault();
    }
  });
  tick();
}
