// Small things every page needs. The page reads well without them.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  // A region that scrolls must be reachable from the keyboard, under a name of its own.
  const tables = document.querySelectorAll(".output.text_html, .pst-scrollable-table-container");
  for (const [index, region] of tables.entries()) {
    if (region.scrollWidth > region.clientWidth) {
      const caption = region.querySelector("caption")?.textContent.replace("#", "").trim();
      region.tabIndex = 0;
      region.setAttribute("role", "region");
      region.setAttribute("aria-label", caption ?? `Tableau à faire défiler (${index + 1})`);
    }
  }
  tellOrigins(document.querySelectorAll(".values[title], .verdicts[title]"));
});

// Where a number comes from, in one bubble: by pointer, by touch and by keyboard.
function tellOrigins(numbers) {
  const bubble = document.createElement("div");
  bubble.id = "vitrine-origine";
  bubble.setAttribute("role", "tooltip");
  bubble.hidden = true;
  document.body.append(bubble);
  let leaving;
  const hide = () => { bubble.hidden = true; };
  const show = (number) => {
    clearTimeout(leaving);
    bubble.textContent = number.dataset.origine;
    bubble.hidden = false;
    const place = number.getClientRects()[0];
    const most = document.documentElement.clientWidth - bubble.offsetWidth - 8;
    bubble.style.left = `${Math.max(8, Math.min(place.left, most)) + window.scrollX}px`;
    bubble.style.top = `${place.bottom + window.scrollY}px`;
  };
  const leave = () => { leaving = setTimeout(hide, 200); };
  for (const number of numbers) {
    number.dataset.origine = number.title; // without scripts, the title tells it to a pointer
    number.removeAttribute("title");
    if (!number.closest("a")) number.tabIndex = 0;
    number.setAttribute("aria-describedby", bubble.id);
    for (const way of ["focus", "click", "pointerenter"]) {
      number.addEventListener(way, () => show(number));
    }
    number.addEventListener("blur", hide);
    number.addEventListener("pointerleave", leave);
  }
  bubble.addEventListener("pointerenter", () => clearTimeout(leaving));
  bubble.addEventListener("pointerleave", leave);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
}
