() => {
  // What Gradio leaves out: answers that are announced, figures that have a name, and a choice of
  // files that proposes photos first without forbidding the others.
  const announcer = document.createElement("div");
  announcer.id = "annonce";
  announcer.className = "lecteur";
  announcer.setAttribute("role", "status");
  document.querySelector(".gradio-container").append(announcer);

  const complete = () => {
    document.querySelectorAll("input[type=file]").forEach((input) => {
      input.accept = ".jpg,.jpeg,.png,.webp";
    });
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

  // A file larger than the interface takes in would be dropped without a word. Cut to one byte more,
  // it reaches the interface, which tells its limit, written here by app.py.
  const MOST = MAX_UPLOAD_BYTES + 1;
  document.addEventListener("change", ({ target }) => {
    const file = target.type === "file" && target.files[0];
    if (!file || file.size <= MOST) return;
    const cut = new DataTransfer();
    cut.items.add(new File([file.slice(0, MOST)], file.name, { type: file.type }));
    target.files = cut.files;
  }, { capture: true });
  new MutationObserver(complete).observe(document.body, { childList: true, subtree: true });
}
