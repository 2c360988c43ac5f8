// One slide at a time, by keys, buttons, swipe or address; without this script they are stacked.
"use strict";

(() => {
  const slides = [...document.querySelectorAll("section")];
  const [back, next] = document.querySelectorAll("nav button");
  const counter = document.querySelector("nav output");
  let here = 0;

  const show = (wanted, { focus = true } = {}) => {
    here = Math.max(0, Math.min(slides.length - 1, wanted));
    slides.forEach((slide, i) => slide.classList.toggle("ici", i === here));
    back.disabled = here === 0;
    next.disabled = here === slides.length - 1;
    counter.textContent = `${here + 1} sur ${slides.length}`;
    const title = slides[here].querySelector("h2");
    document.title = `${title.textContent} — Vitrine`;
    history.replaceState(null, "", `#${slides[here].id}`);
    scrollTo(0, 0);
    if (focus) title.focus({ preventScroll: true });
  };

  const fromAddress = () => slides.findIndex((slide) => `#${slide.id}` === location.hash);

  const KEYS = {
    ArrowRight: () => here + 1,
    PageDown: () => here + 1,
    ArrowLeft: () => here - 1,
    PageUp: () => here - 1,
    Home: () => 0,
    End: () => slides.length - 1,
  };

  document.addEventListener("keydown", (event) => {
    const move = KEYS[event.key];
    if (!move || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    show(move());
  });
  back.addEventListener("click", () => show(here - 1, { focus: false }));
  next.addEventListener("click", () => show(here + 1, { focus: false }));
  addEventListener("hashchange", () => show(Math.max(0, fromAddress())));

  document.documentElement.classList.add("script");
  show(Math.max(0, fromAddress()), { focus: false });
})();
