"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const form = byId("filter");
  const rows = [...document.querySelectorAll(".matrix tbody tr:not(.area)")].map((row) => ({
    row,
    cells: [...row.cells].slice(2).map((cell) => cell.classList[0]),
    text: (row.cells[0].textContent + " " + row.cells[1].textContent).toLowerCase(),
    part: (byId(row.querySelector("a").getAttribute("href").slice(1)) || {}).parentElement,
  }));
  const areas = [...document.querySelectorAll(".matrix tbody")];
  const chips = [...form.querySelectorAll("[data-class]")];

  const apply = () => {
    const words = byId("q").value.toLowerCase().split(/\s+/).filter(Boolean);
    const column = byId("on").value;
    const wanted = chips.filter((chip) => chip.ariaPressed === "true").map((chip) => chip.dataset.class);
    let shown = 0;
    for (const { row, cells, text, part } of rows) {
      const looked = column === "" ? cells : [cells[column]];
      // "differ" asks about the SUTs that took part and can do the case.
      const said = new Set(cells.filter((cell) => !"uno".includes(cell)));
      const show =
        words.every((word) => text.includes(word)) &&
        (wanted.length === 0 || looked.some((cell) => wanted.includes(cell))) &&
        (!byId("differ").checked || said.size > 1);
      row.hidden = !show;
      if (part) part.hidden = !show;
      shown += show;
    }
    for (const area of areas) area.hidden = !area.querySelector("tr:not(.area):not([hidden])");
    byId("shown").value = `${shown} of ${rows.length} cases`;
  };

  const reveal = () => {
    const target = byId(decodeURIComponent(location.hash.slice(1)));
    if (target && target.parentElement.matches("details")) {
      target.parentElement.hidden = false;
      target.parentElement.open = true;
      target.scrollIntoView();
    }
  };

  for (const chip of chips) {
    chip.addEventListener("click", () => {
      chip.ariaPressed = chip.ariaPressed === "true" ? "false" : "true";
      apply();
    });
  }
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", reveal);
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((part) => (part.open = true)));
  form.hidden = false;
  apply();
  reveal();
})();
