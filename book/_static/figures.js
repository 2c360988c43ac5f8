// Draws the plotly figures of a page: in its colours, its language and its width.
"use strict";

(() => {
  const NARROW = 560;

  const FRENCH = {
    moduleType: "locale",
    name: "fr",
    dictionary: {
      Autoscale: "Échelle automatique",
      "Box Select": "Sélection rectangulaire",
      "Click to enter Plot title": "",
      "Double-click to zoom back out": "Double-cliquer pour revenir",
      "Download plot": "Enregistrer l’image",
      "Download plot as a PNG": "Enregistrer en PNG",
      "Lasso Select": "Sélection libre",
      Pan: "Déplacer",
      Reset: "Rétablir",
      "Reset axes": "Rétablir les axes",
      "Snapshot succeeded": "Image enregistrée",
      "Taking snapshot - this may take a few seconds": "Enregistrement de l’image…",
      Zoom: "Agrandir une zone",
      "Zoom in": "Agrandir",
      "Zoom out": "Réduire",
    },
    format: {
      days: ["dimanche", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi"],
      shortDays: ["dim.", "lun.", "mar.", "mer.", "jeu.", "ven.", "sam."],
      months: ["janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août",
        "septembre", "octobre", "novembre", "décembre"],
      shortMonths: ["janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.",
        "oct.", "nov.", "déc."],
      date: "%d/%m/%Y",
      decimal: ",",
      thousands: "\u202f",
      grouping: [3],
    },
  };

  const CONFIG = {
    displaylogo: false,
    locale: "fr",
    modeBarButtonsToRemove: ["lasso2d", "select2d", "autoScale2d", "sendChartToCloud"],
    responsive: true,
  };

  // Colours -----------------------------------------------------------------------------------

  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

  const toRgb = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = "#000";
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };

  const luminance = ([r, g, b]) => {
    const linear = [r, g, b].map((c) => {
      const s = c / 255;
      return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };

  const contrast = (a, b) => {
    const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
    return (high + 0.05) / (low + 0.05);
  };

  const WHITE = [255, 255, 255];
  const INK = { contrast: 9, saturation: 0.5 };

  const saturation = (rgb) => {
    const [high, low] = [Math.max(...rgb), Math.min(...rgb)];
    return high === 0 ? 0 : (high - low) / (255 - Math.abs(high + low - 255) || 1);
  };

  // A colour chosen for white paper is mixed with white until it stands out on the dark page;
  // ink becomes light ink.
  const readable = (color, { ground, text }) => {
    const [r, g, b, alpha] = toRgb(color);
    if (alpha < 255) return color;
    const rgb = [r, g, b];
    if (contrast(rgb, WHITE) > INK.contrast && saturation(rgb) < INK.saturation) return text;
    let mixed = [r, g, b];
    for (let step = 1; step <= 10 && contrast(mixed, toRgb(ground)) < 3.2; step += 1) {
      mixed = [r, g, b].map((c) => Math.round(c + (255 - c) * step * 0.1));
    }
    return `rgb(${mixed.join(",")})`;
  };

  const adapt = (value, key, page) => {
    if (key === "colorscale" || key === "colorscales") return value;
    if (typeof value === "string") return /color$/i.test(key) ? readable(value, page) : value;
    if (key === "colorway") return value.map((item) => readable(item, page));
    if (Array.isArray(value)) {
      // Colours given point by point are data, such as the mean colour of a photo.
      return value.map((item) => (typeof item === "string" ? item : adapt(item, key, page)));
    }
    if (value && typeof value === "object" && !ArrayBuffer.isView(value)) {
      return Object.fromEntries(
        Object.entries(value).map(([name, item]) => [name, adapt(item, name, page)]),
      );
    }
    return value;
  };

  // Layout ------------------------------------------------------------------------------------

  const pageStyle = () => {
    const style = getComputedStyle(document.documentElement);
    const read = (name) => style.getPropertyValue(name).trim();
    return {
      dark: document.documentElement.dataset.theme === "dark",
      font: read("--vitrine-ui"),
      grid: read("--pst-color-border"),
      ground: read("--pst-color-background"),
      muted: read("--pst-color-text-muted"),
      surface: read("--pst-color-surface"),
      text: read("--pst-color-text-base"),
    };
  };

  const axesOf = (layout) => {
    const names = Object.keys(layout).filter((name) => /^[xy]axis\d*$/.test(name));
    return new Set([...names, "xaxis", "yaxis"]);
  };

  const columnsOf = (layout) => {
    const starts = Object.keys(layout)
      .filter((name) => /^xaxis\d*$/.test(name) && layout[name].domain)
      .map((name) => layout[name].domain[0]);
    return new Set(starts).size || 1;
  };

  const wrap = (text, most) => {
    const lines = [""];
    for (const word of text.split(" ")) {
      const longer = `${lines.at(-1)} ${word}`.trim();
      if (longer.length <= most || !lines.at(-1)) lines[lines.length - 1] = longer;
      else lines.push(word);
    }
    return lines.join("<br>");
  };

  const dress = (figure, page, narrow) => {
    const source = page.dark ? adapt(figure, "", page) : figure;
    const { data, layout: given } = structuredClone(source);
    const layout = {
      ...given,
      autosize: true,
      font: { ...given.font, color: page.text, family: page.font, size: narrow ? 12 : 13 },
      hoverlabel: {
        ...given.hoverlabel,
        bgcolor: page.surface,
        bordercolor: page.grid,
        font: { color: page.text, family: page.font },
      },
      legend: { ...given.legend, bgcolor: "rgba(0,0,0,0)" },
      margin: { b: 48, l: 12, r: 12, t: 24, ...given.margin },
      modebar: { activecolor: page.text, bgcolor: "rgba(0,0,0,0)", color: page.muted },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      separators: ",\u202f",
    };
    for (const name of axesOf(layout)) {
      layout[name] = {
        linecolor: page.muted,
        tickcolor: page.muted,
        ...layout[name],
        automargin: true,
        gridcolor: page.grid,
        zerolinecolor: page.grid,
      };
      // Without a distance of its own, the title of an axis is left out of the automatic margin.
      const { title } = layout[name];
      const text = typeof title === "string" ? title : title?.text;
      if (text) {
        const short = narrow && name.startsWith("x") ? wrap(text, 26) : text;
        layout[name].title = { standoff: 12, ...(title.text ? title : {}), text: short };
      }
    }
    if (narrow) {
      // Below the title of the axis, at the same distance under a tall figure and a short one.
      const below = -Math.min(0.22, 104 / (layout.height || 420));
      layout.legend = { ...layout.legend, orientation: "h", x: 0, xanchor: "left", y: below,
        yanchor: "top" };
      layout.margin = { ...layout.margin, l: 10, r: 4 };
      layout.dragmode = false;
      for (const trace of data) {
        // Cells that print their value need no scale, and a phone has no room for one.
        if (trace.texttemplate && trace.colorscale) trace.showscale = false;
      }
    }
    return { data, layout };
  };

  // Panels that stand side by side, each with its title above, go one below the other.
  const stack = ({ data, layout }) => {
    const start = (name) => layout[name].domain[0];
    const panels = Object.keys(layout).filter((name) => /^xaxis\d*$/.test(name));
    panels.sort((one, other) => start(one) - start(other));
    const titles = [...layout.annotations].sort((one, other) => one.x - other.x);
    const gap = 0.13; // room for the marks of a panel and the title of the next
    const tall = (1 - gap * (panels.length - 1)) / panels.length;
    panels.forEach((name, row) => {
      const top = 1 - row * (tall + gap);
      layout[name].domain = [0, 1];
      layout[name.replace("x", "y")].domain = [Math.max(0, top - tall), top];
      Object.assign(titles[row], { x: 0.5, y: top });
    });
    layout.height *= 0.85 * panels.length;
    return { data, layout };
  };

  // Steps -------------------------------------------------------------------------------------

  // A picture under several panels is written once; each panel has its number.
  const read = (element) => {
    const figure = JSON.parse(element.querySelector("script").textContent);
    figure.layout.images?.forEach((image) => (image.source = figure.pictures[image.source]));
    return figure;
  };

  // Shows the traces of the step that the reader chose, without plotly's own slider.
  const atStep = (element, figure) => {
    const [slider] = figure.layout.sliders ?? [];
    if (!slider) return figure;
    const step = slider.steps[element.dataset.step ?? slider.active];
    const [{ visible }, changing] = step.args;
    const data = figure.data.map((trace, number) => {
      const place = changing.indexOf(number);
      return place < 0 ? trace : { ...trace, visible: visible[place] };
    });
    const { sliders, ...layout } = figure.layout;
    return { data, layout };
  };

  // Plotly's slider answers to the pointer alone; this one, to the keyboard and to readers too.
  const addSlider = (element, draw) => {
    const [slider] = read(element).layout.sliders ?? [];
    if (!slider) return;
    const label = document.createElement("label");
    const range = document.createElement("input");
    const chosen = document.createElement("output");
    label.className = "vitrine-curseur";
    Object.assign(range, { type: "range", min: 0, max: slider.steps.length - 1, step: 1 });
    range.value = slider.active;
    const say = () => {
      chosen.value = slider.steps[range.value].label;
      range.setAttribute("aria-valuetext", chosen.value);
    };
    range.addEventListener("input", () => {
      element.dataset.step = range.value;
      say();
      draw(element);
    });
    say();
    label.append(slider.currentvalue.prefix, range, chosen);
    element.prepend(label);
  };

  // Drawing -----------------------------------------------------------------------------------

  const draw = (element) => {
    const plot = element.querySelector(".vitrine-plot");
    const figure = atStep(element, read(element));
    const narrow = element.clientWidth < NARROW;
    const columns = columnsOf(figure.layout);
    const stacked = narrow && figure.layout.meta?.stack;
    plot.style.minWidth = narrow && columns > 2 && !stacked ? `${columns * 170}px` : "";
    // What scrolls must be reachable from the keyboard.
    if (plot.style.minWidth) element.tabIndex = 0;
    else element.removeAttribute("tabindex");
    const dressed = dress(figure, pageStyle(), narrow);
    const { data, layout } = stacked ? stack(dressed) : dressed;
    const config = { ...CONFIG, displayModeBar: narrow ? false : "hover" };
    return Plotly.react(plot, data, layout, config);
  };

  // The table that readers without scripts see becomes one that others can unfold.
  const unfold = (block) => {
    const details = document.createElement("details");
    const summary = document.createElement("summary");
    const table = document.createElement("div");
    summary.textContent = "Données (tableau)";
    table.className = "vitrine-table";
    table.tabIndex = 0;
    table.setAttribute("role", "region");
    const number = block.closest("figure")?.querySelector(".caption-number")?.textContent.trim();
    table.setAttribute("aria-label", `Données : ${number ?? "figure"}`);
    table.innerHTML = block.querySelector("noscript").textContent;
    details.append(summary, table);
    block.prepend(details);
  };

  document.addEventListener("DOMContentLoaded", () => {
    Plotly.register(FRENCH);
    const figures = [...document.querySelectorAll(".vitrine-figure")];
    const drawAll = () => figures.forEach(draw);
    document.querySelectorAll(".vitrine-donnees").forEach(unfold);
    figures.forEach((element) => addSlider(element, draw));
    drawAll();

    new MutationObserver(drawAll).observe(document.documentElement, {
      attributeFilter: ["data-theme"],
    });
    let width = window.innerWidth;
    window.addEventListener("resize", () => {
      if (width < NARROW !== window.innerWidth < NARROW) drawAll();
      width = window.innerWidth;
    });
  });
})();
