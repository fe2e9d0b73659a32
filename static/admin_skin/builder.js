// The flow builder: order by hand, buttons and keyboard, a preview that follows what is typed. Without this file the
// same is done by numbers and by buttons of the form.
"use strict";

const form = document.getElementById("flow-form");

/* --- Preview --------------------------------------------------------------------------------------------------- */

const frameBox = document.querySelector("[data-preview-frame]");
const showButton = document.querySelector("[data-show-preview]");
const PREVIEW_AFTER = 350;
let previewTimer;
let frameCount = 0;

// Each picture gets a frame of its own: a frame that is led on would add a step to the Back button every time, and be
// blank while it loads.
function nextFrame() {
  for (const frame of frameBox.querySelectorAll(".next")) {
    frame.remove();
  }
  const shown = frameBox.querySelector("iframe");
  const next = shown.cloneNode();
  next.removeAttribute("src");
  next.className = "next";
  // A name of its own: a frame that has loaded keeps the name that it had.
  frameCount += 1;
  next.name = showButton.formTarget = `preview-${frameCount}`;
  frameBox.append(next);
  next.addEventListener("load", () => {
    if (next.contentWindow.location.href === "about:blank" || !next.isConnected) {
      return;
    }
    next.contentWindow.scrollTo(0, shown.contentWindow.scrollY);
    next.className = "";
    for (const frame of frameBox.querySelectorAll("iframe")) {
      if (frame !== next) {
        frame.remove();
      }
    }
  });
}

function showPreview() {
  clearTimeout(previewTimer);
  previewTimer = setTimeout(() => {
    nextFrame();
    showButton.form.requestSubmit(showButton);
  }, PREVIEW_AFTER);
}

if (frameBox) {
  showButton.hidden = true;
  // The page has come back with what was typed: the frame shows what is saved.
  if (form?.hasAttribute("data-typed")) {
    showPreview();
  }
  for (const name of ["input", "change"]) {
    showButton.form.addEventListener(name, showPreview);
  }
  for (const control of document.querySelectorAll("[data-preview-choices] :is(select, input)")) {
    if (control.name !== "preview_width") {
      control.addEventListener("change", showPreview);
    }
  }
}

/* --- The order of the questions ---------------------------------------------------------------------------------- */

const list = document.querySelector("[data-questions]");
const announcer = document.querySelector("[data-announce]");
const canEdit = list && !list.closest("fieldset:disabled");

const rows = () => [...list.children];
const part = (row, name) => row.querySelector(`[name$="-${name}"]`);
const titleOf = (row) => row.querySelector("[data-title]").textContent;

function number() {
  rows().forEach((row, index, all) => {
    part(row, "order").value = index + 1;
    for (const button of row.querySelectorAll("[data-move]")) {
      const isUp = button.dataset.move === "up" || button.dataset.move === "top";
      button.disabled = isUp ? index === 0 : index === all.length - 1;
    }
  });
}

function moved(row) {
  number();
  const words = { name: titleOf(row), place: rows().indexOf(row) + 1, count: rows().length };
  listPages();
  announcer.textContent = list.dataset.moved.replace(/%\((\w+)\)s/g, (_match, name) => words[name]);
  showPreview();
}

const MOVES = {
  top: (row) => list.prepend(row),
  up: (row) => row.previousElementSibling?.before(row),
  down: (row) => row.nextElementSibling?.after(row),
  bottom: (row) => list.append(row),
};

function move(button) {
  const row = button.closest("[data-question]");
  MOVES[button.dataset.move](row);
  moved(row);
  // Moving a node takes the focus from it; a button that can't go on hands it to one that can.
  (button.disabled ? row.querySelector("[data-move]:not(:disabled)") : button)?.focus();
  row.scrollIntoView({ block: "nearest" });
}

// On the document, since a node that is moved loses its hold on the pointer.
function drag(grip, pointer) {
  const row = grip.closest("[data-question]");
  const end = new AbortController();
  const before = rows().indexOf(row);
  row.classList.add("dragged");
  const follow = (event) => {
    const box = row.getBoundingClientRect();
    const previous = row.previousElementSibling;
    const next = row.nextElementSibling;
    if (previous && event.clientY < box.top && event.clientY < middle(previous)) {
      previous.before(row);
    } else if (next && event.clientY > box.bottom && event.clientY > middle(next)) {
      next.after(row);
    }
  };
  const drop = () => {
    end.abort();
    row.classList.remove("dragged");
    if (rows().indexOf(row) !== before) {
      moved(row);
    }
  };
  const listen = (name, listener) => document.addEventListener(name, listener, { signal: end.signal });
  const same = (listener) => (event) => event.pointerId === pointer && listener(event);
  listen("pointermove", same(follow));
  listen("pointerup", same(drop));
  listen("pointercancel", same(drop));
}

function middle(element) {
  const box = element.getBoundingClientRect();
  return box.top + box.height / 2;
}

/* --- One question ------------------------------------------------------------------------------------------------ */

function describe(row) {
  const attribute = part(row, "user_attribute").selectedOptions[0];
  const label = part(row, "label");
  label.placeholder = attribute?.dataset.label ?? "";
  const title = label.value.trim() || attribute?.dataset.label || list.dataset.new;
  row.querySelector("[data-title] bdi").textContent = title;
  nameMoves(row, title);
  const input = part(row, "input_type").selectedOptions[0];
  const need = part(row, "required").checked ? list.dataset.required : list.dataset.optional;
  row.querySelector("[data-kind]").textContent = `${input?.text ?? ""} · ${need}`;
}

function nameMoves(row, title) {
  for (const button of row.querySelectorAll("[data-move]")) {
    button.setAttribute("aria-label", button.dataset.words.replace("%(title)s", () => title));
  }
}

// Only what fits the data: the server checks it again.
function narrow(row) {
  const attribute = part(row, "user_attribute");
  const dataType = attribute.value === "new" ? part(row, "data_type").value : attribute.selectedOptions[0]?.dataset.type;
  const fitting = INPUTS[dataType];
  const input = part(row, "input_type");
  for (const option of input.options) {
    option.hidden = option.disabled = Boolean(fitting) && !fitting.includes(option.value);
  }
  if (input.selectedOptions[0]?.disabled) {
    input.value = [...input.options].find((option) => !option.disabled).value;
  }
}

function prepare(row) {
  row.querySelector("[data-place]").hidden = true;
  row.querySelector("[data-grip]").hidden = false;
  row.querySelector("[data-moves]").hidden = false;
  narrow(row);
}

function add(button) {
  const total = form.elements[`${list.dataset.prefix}-TOTAL_FORMS`];
  const row = document.querySelector("[data-empty-question]").content.firstElementChild.cloneNode(true);
  for (const element of row.querySelectorAll("*")) {
    for (const name of ["id", "name", "for", "aria-describedby"]) {
      const value = element.getAttribute(name);
      if (value) {
        element.setAttribute(name, value.replace("__prefix__", total.value));
      }
    }
  }
  total.value = Number(total.value) + 1;
  list.append(row);
  prepare(row);
  number();
  part(row, "user_attribute").focus();
  button.scrollIntoView({ block: "nearest" });
}

const INPUTS = canEdit ? JSON.parse(document.getElementById("inputs-by-data-type").textContent) : {};

if (canEdit) {
  list.classList.add("can-move");
  rows().forEach(prepare);
  number();
  list.addEventListener("click", (event) => {
    const button = event.target.closest("[data-move]");
    if (button) {
      move(button);
    }
  });
  list.addEventListener("pointerdown", (event) => {
    const grip = event.target.closest("[data-grip]");
    if (grip && event.button === 0) {
      event.preventDefault();
      drag(grip, event.pointerId);
    }
  });
  list.addEventListener("input", (event) => {
    const row = event.target.closest("[data-question]");
    if (/-(user_attribute|data_type)$/.test(event.target.name)) {
      narrow(row);
    }
    describe(row);
    listPages();
  });
  document.getElementById("id_questions_heading").addEventListener("input", listPages);
  document.querySelector("[data-add-question]").addEventListener("click", (event) => {
    event.preventDefault();
    add(event.target);
  });
}

// The pages of questions as they are now, for the preview: the server knows those that are saved.
function listPages() {
  const select = document.getElementById("preview-page");
  const asked = rows().filter((row) => !part(row, "DELETE").checked);
  const starts = asked.filter((row, index) => index > 0 && part(row, "starts_page").checked);
  const headings = asked.length ? [document.getElementById("id_questions_heading").value] : [];
  headings.push(...starts.map((row) => part(row, "page_heading").value));
  const chosen = select.selectedIndex;
  const kept = [...select.options].filter((option) => !option.value.startsWith("questions"));
  const listed = headings.map((heading, index) => {
    const text = `${kept.length + index + 1} · ${heading.trim() || list.dataset.standard}`;
    return new Option(text, `questions-${index}`);
  });
  select.replaceChildren(...kept, ...listed);
  select.selectedIndex = Math.min(chosen, select.options.length - 1);
}

/* --- A new flow -------------------------------------------------------------------------------------------------- */

const templates = document.querySelector(".templates");
if (templates) {
  const name = document.getElementById("id_name");
  let isTyped = Boolean(name.value);
  const suggest = () => {
    if (!isTyped) {
      name.value = templates.querySelector("[name=template]:checked")?.dataset.suggests ?? "";
    }
  };
  name.addEventListener("input", () => { isTyped = Boolean(name.value); });
  templates.addEventListener("change", suggest);
  suggest();
}
