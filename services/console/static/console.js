// "/" goes to the search field, Escape leaves it; a session that ended sends the whole page to sign in. Nothing else.
"use strict";
document.addEventListener("keydown", (event) => {
  const here = document.activeElement;
  const writing = here instanceof HTMLElement && (here.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(here.tagName));
  const find = document.getElementById("find");
  if (event.key === "/" && !writing && !event.ctrlKey && !event.metaKey && !event.altKey && find) {
    event.preventDefault();
    find.focus();
    find.select();
  } else if (event.key === "Escape" && here === find) {
    find.blur();
  }
});
