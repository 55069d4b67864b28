"use strict";
(() => {
  const numbersOf = (figure) => JSON.parse(figure.querySelector(".numbers").textContent);
  const LEFT = 52, RIGHT = 506;

  const shown = (value, percent) => percent ? (100 * value).toFixed(1) + " %" : String(Number(value.toPrecision(3)));

  function nearest(values, x) {
    let best = 0;
    values.forEach((value, place) => { if (Math.abs(value - x) < Math.abs(values[best] - x)) best = place; });
    return best;
  }

  function reading(svg, told, data) {
    const guide = svg.querySelector(".guide"), [low, high] = data.x;
    const all = [...new Set(data.series.flatMap((each) => each.x))].sort((a, b) => a - b);
    if (!all.length) return;
    let place = all.length - 1;
    const show = () => {
      const x = all[place], at = LEFT + (x - low) / (high - low) * (RIGHT - LEFT);
      guide.setAttribute("x1", at);
      guide.setAttribute("x2", at);
      guide.removeAttribute("hidden");
      const words = data.series.flatMap((each) => {
        const own = each.x.indexOf(x);
        if (own < 0) return [];
        const ends = each.low ? ` (${shown(each.low[own], data.percent)} to ${shown(each.high[own], data.percent)})` : "";
        return [`${each.label} ${shown(each.y[own], data.percent)}${ends}`];
      });
      told.textContent = `${data.unit} ${x}: ${words.join("; ")}`;
    };
    const follow = (event) => {
      const box = svg.getBoundingClientRect();
      const at = (event.clientX - box.left) / box.width * 520;
      place = nearest(all, low + (at - LEFT) / (RIGHT - LEFT) * (high - low));
      show();
    };
    svg.addEventListener("pointermove", follow);
    svg.addEventListener("pointerdown", follow);
    svg.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step) return;
      event.preventDefault();
      place = Math.min(all.length - 1, Math.max(0, place + step));
      show();
    });
  }

  for (const figure of document.querySelectorAll("figure:not(#tasks)")) {
    const data = numbersOf(figure), parts = [...figure.querySelectorAll(".one")];
    parts.forEach((part, place) => reading(part.querySelector("svg"), part.querySelector(".told"), data[place]));
    const choice = figure.querySelector("select");
    if (choice) choice.addEventListener("change", () => {
      parts.forEach((part, place) => { part.hidden = place !== Number(choice.value); });
    });
  }

  const tasks = document.getElementById("tasks");
  if (tasks) {
    const data = numbersOf(tasks), slider = tasks.querySelector("input"), told = tasks.querySelector("output");
    const dots = new Map([...tasks.querySelectorAll("[data-key]")].map((each) => [each.dataset.key, each]));
    slider.addEventListener("input", () => {
      const place = Number(slider.value);
      told.textContent = data.names[place];
      dots.forEach((dot) => dot.setAttribute("hidden", ""));
      for (const [key, x, low, high, words] of data.dots[place]) {
        const dot = dots.get(key);
        if (!dot) continue;
        dot.removeAttribute("hidden");
        dot.querySelector("circle").setAttribute("cx", x);
        dot.querySelector("line").setAttribute("x1", low);
        dot.querySelector("line").setAttribute("x2", high);
        dot.querySelector("title").textContent = words;
      }
    });
  }
})();
