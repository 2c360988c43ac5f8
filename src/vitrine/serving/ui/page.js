() => {
  // What Gradio leaves out: answers that are announced, figures that have a name, and photos that
  // are shown at once or looked at from a figure. What it says is written in the language of the page
  // as that is made, in the place of each call of say.
  const made = (tag, options = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), options);
    element.append(...children);
    return element;
  };
  const announcer = made("div", { id: "annonce", className: "lecteur", role: "status" });

  // The photo that was just chosen, while the service looks at it.
  const shown = (choice) => {
    const radio = document.querySelector(`#choix input[value="${CSS.escape(choice.key)}"]`);
    const photo = made("img", {
      className: "photo",
      src: choice.src ?? `photos/photo/${encodeURIComponent(choice.key)}`,
      alt: say("Photo : {name}").replace("{name}", () => radio?.labels[0].title ?? say("votre photo")),
    });
    const pile = made("div", { className: "pile" }, made("div", { className: "superposition" }, photo));
    const caption = made("figcaption", {}, radio?.dataset.legende ?? "");
    const figure = made("figure", { className: "cadre" }, pile, caption).outerHTML;
    const busy = choice.key ? say("Analyse en cours…") : say("Envoi en cours…");
    return [figure, `<p class="attente occupe" data-annonce>${busy}</p>`, "", ""];
  };
  window.vitrine = { shown };

  // The photos of a figure, one after another.
  let photos = [], place = 0;
  const title = made("figcaption", { ariaLive: "polite" });
  const image = made("img", { alt: "" });
  const button = (text, act) => made("button", { type: "button", onclick: act }, text);
  const show = (to) => {
    place = (to + photos.length) % photos.length;
    const { name, label, width, height } = photos[place];
    image.src = `photos/photo/${encodeURIComponent(name)}`;
    title.textContent = `${label}, ${width}\u00a0×\u00a0${height}\u00a0pixels`
      + say(" (photo {rank} sur {count})").replace("{rank}", place + 1).replace("{count}", photos.length);
    image.alt = say("Photo : {name}").replace("{name}", () => label);
  };
  const viewer = made("dialog", { id: "apercu", ariaLabel: say("Une photo du jeu") },
    made("figure", {}, image, title),
    made("div", { className: "gestes" },
      button(say("Précédente"), () => show(place - 1)),
      button(say("Suivante"), () => show(place + 1)),
      button(say("Fermer"), () => viewer.close())));
  image.onerror = () => { title.textContent += say(". Elle n’est pas sur cette machine."); };
  viewer.addEventListener("click", ({ target }) => { if (target === viewer) viewer.close(); });
  const open = (name) => {
    const plot = document.querySelector("#figure-tailles .js-plotly-plot");
    if (!plot?.data) return void setTimeout(open, 100, name); // the figure is still being drawn
    photos = plot.data.flatMap((trace) => (trace.customdata ?? []).map((each, k) => (
      { name: each, label: trace.name, width: trace.x[k], height: trace.y[k] })));
    if (!photos.length) return;
    show(Math.max(0, photos.findIndex((photo) => photo.name === name)));
    viewer.showModal();
  };
  document.addEventListener("click", ({ target }) => { if (target.id === "parcourir") open(); });
  document.querySelector(".gradio-container").append(announcer, viewer);

  const complete = () => {
    document.documentElement.lang = say("fr"); // Gradio writes that of the browser
    const said = [...document.querySelectorAll("[data-annonce]")]
      .map((part) => part.textContent.trim()).join(" ");
    if (said && said !== announcer.textContent) announcer.textContent = said;
    document.querySelectorAll(".graphique .js-plotly-plot").forEach((plot) => {
      const heading = plot.closest(".graphique").querySelector("h2").textContent;
      plot.setAttribute("role", "img");
      plot.setAttribute("aria-label", say("{heading} : les valeurs sont dans le tableau, plus haut.")
        .replace("{heading}", () => heading));
      plot.removeAllListeners?.("plotly_click");
      plot.on?.("plotly_click", ({ points: [point] }) => {
        if (typeof point.customdata === "string") open(point.customdata);
      });
    });
  };
  complete();
  new MutationObserver(complete).observe(document.body, { childList: true, subtree: true });
}
