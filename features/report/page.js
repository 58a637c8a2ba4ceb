"use strict";
// The filter of the page. Its state is in the address, so that a link shows what
// its sender saw. Without it the page shows everything.
(() => {
  const form = document.getElementById("filter");
  const results = [...document.querySelectorAll("details.result")];
  const articles = [...document.querySelectorAll("article")];
  const groups = [...document.querySelectorAll("section.rule, section.feature")];
  const failures = [...document.querySelectorAll("#failures li")];
  const failed = document.getElementById("failures");
  const shown = document.getElementById("shown");
  const none = document.getElementById("none");
  const unfold = document.getElementById("unfold");
  const text = new Map(); // of a result, with what stands above it; made when it is first needed

  const textOf = (result) => {
    let t = text.get(result);
    if (t === undefined) {
      const above = [result.closest("article").querySelector("h4"), ...["rule", "feature"].map((c) => result.closest("section." + c).firstElementChild)];
      t = (result.textContent + " " + above.map((e) => e.textContent).join(" ")).toLowerCase();
      text.set(result, t);
    }
    return t;
  };

  const apply = () => {
    const status = form.elements.status.value, backend = form.elements.backend.value;
    const words = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const r of results) {
      r.hidden = !((!status || r.dataset.status === status) && (!backend || r.dataset.backend === backend) &&
        words.every((w) => textOf(r).includes(w)));
      if (!r.hidden) count++;
    }
    for (const a of articles) a.hidden = !a.querySelector("details.result:not([hidden])");
    for (const g of groups) g.hidden = !g.querySelector("article:not([hidden])");
    for (const f of failures) f.hidden = document.getElementById(f.dataset.of).hidden;
    if (failed) failed.hidden = failures.every((f) => f.hidden);
    none.hidden = count > 0;
    shown.textContent = count + " of " + results.length;
  };

  const fromAddress = () => {
    let hash = location.hash.slice(1);
    const target = hash && !hash.includes("=") && document.getElementById(hash);
    if (target) {
      if (target.hidden) { form.reset(); apply(); }
      target.open = true;
      target.scrollIntoView();
      return;
    }
    const want = new URLSearchParams(hash);
    for (const name of ["status", "backend", "text"]) form.elements[name].value = want.get(name) || "";
    for (const name of ["status", "backend"]) if (form.elements[name].selectedIndex < 0) form.elements[name].value = "";
    apply();
  };

  form.addEventListener("input", () => {
    const state = new URLSearchParams();
    for (const name of ["status", "backend", "text"]) if (form.elements[name].value) state.set(name, form.elements[name].value);
    history.replaceState(null, "", "#" + state);
    apply();
  });
  form.addEventListener("submit", (e) => e.preventDefault());
  unfold.addEventListener("click", () => {
    const open = unfold.textContent === "Open all";
    for (const r of results) if (!r.hidden) r.open = open;
    unfold.textContent = open ? "Close all" : "Open all";
  });
  addEventListener("hashchange", fromAddress);
  form.hidden = false;
  fromAddress();
})();
