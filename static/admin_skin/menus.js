// The header's menus and the lists' filters are <details>. With script, they close by Escape and by a click elsewhere.
"use strict";

const MENUS = ".user-menu, .tenant-switcher, .drawer, .filter";

function closeMenus(except) {
  for (const menu of document.querySelectorAll(MENUS)) {
    if (menu.open && !menu.contains(except)) {
      menu.open = false;
    }
  }
}

document.addEventListener("click", (event) => closeMenus(event.target));
document.addEventListener("keydown", (event) => {
  const open = event.key === "Escape" ? document.activeElement.closest(MENUS) : null;
  if (open) {
    open.open = false;
    open.querySelector("summary").focus();
  }
});
