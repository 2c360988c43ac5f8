() => {
  // What Gradio leaves out: answers that are announced, figures that have a name.
  const announcer = document.createElement("div");
  announcer.id = "annonce";
  announcer.className = "lecteur";
  announcer.setAttribute("role", "status");
  document.querySelector(".gradio-container").append(announcer);

  const complete = () => {
    const said = [...document.querySelectorAll("[data-annonce]")]
      .map((part) => part.textContent.trim()).join(" ");
    if (said && said !== announcer.textContent) announcer.textContent = said;
    document.querySelectorAll(".graphique .js-plotly-plot:not([aria-label])").forEach((plot) => {
      const title = plot.closest(".graphique").querySelector("h2").textContent;
      plot.setAttribute("role", "img");
      plot.setAttribute("aria-label", `${title}\u00a0: les valeurs sont dans le tableau, plus haut.`);
    });
  };
  complete();
  new MutationObserver(complete).observe(document.body, { childList: true, subtree: true });
}
