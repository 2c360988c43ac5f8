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
});
