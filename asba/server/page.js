"use strict";
// Asks this very server, and shows what it says. Whatever comes from a script or
// an answer is written as text.
(() => {
  const $ = (id) => document.getElementById(id);
  const script = $("script"), form = $("ask"), go = $("go"), result = $("result"), status = $("status"), problem = $("problem");
  const first = 12; // types that are shown at once
  let plan = "", link = "", asked = 0;

  const element = (tag, text, className) => {
    const e = document.createElement(tag);
    if (text !== undefined) e.textContent = text;
    if (className) e.className = className;
    return e;
  };

  const question = () => {
    const q = {};
    if (script.value.trim()) q.job_script = script.value.replace(/\r\n?/g, "\n");
    if ($("job").value.trim()) q.job_id = $("job").value.trim();
    if ($("nodes").value.trim()) q.node_count = Number($("nodes").value.trim());
    if ($("partition").value.trim()) q.partition = $("partition").value.trim();
    return q;
  };

  const fail = (text) => {
    problem.textContent = text;
    problem.hidden = false;
    result.hidden = true;
    status.textContent = "";
  };

  const ask = async () => {
    const turn = ++asked;
    go.disabled = true;
    problem.hidden = true;
    status.textContent = "asking";
    const headers = {"Content-Type": "application/json"};
    if ($("token").value) headers.Authorization = "Bearer " + $("token").value;
    try {
      const began = performance.now();
      const r = await fetch("explain", {method: "POST", headers, body: JSON.stringify(question())});
      const answer = await r.json();
      if (turn !== asked) return;
      if (r.status === 401) {
        $("secret").hidden = false;
        $("token").focus();
      }
      if (!r.ok) return fail(answer.error);
      show(answer);
      status.textContent = "answered in " + Math.round(performance.now() - began) + " ms";
      result.focus();
    } catch (e) {
      if (turn === asked) fail("The server did not answer: " + e.message);
    } finally {
      if (turn === asked) go.disabled = false;
    }
  };

  const money = (v) => v === null ? "unknown" : v.toFixed(v < 1 ? 4 : 2);

  const row = (t, i) => {
    const tr = element("tr", undefined, t.in_plan ? "planned" : "");
    const cell = (text, className) => tr.append(element("td", text, className));
    cell(i + 1, "n");
    tr.append(element("th", t.type));
    tr.lastChild.scope = "row";
    cell(t.nodes, "n");
    cell(t.market);
    cell(t.vcpus + " (" + t.cores + ")", "n");
    cell(Math.round(t.memory_mib / 102.4) / 10 + " GiB", "n");
    cell(t.gpus ? t.gpus + " " + t.gpu_model : "");
    cell(t.efa_interfaces || "", "n");
    cell(money(t.hourly_cost), "n");
    cell(money(t.cost), "n");
    cell(t.interruption);
    cell(t.in_plan ? "yes" : "");
    cell(t.reason);
    return tr;
  };

  const line = (n) => { // puts the cursor into a line of the script
    const lines = script.value.split("\n");
    const from = lines.slice(0, n - 1).join("\n").length + (n > 1 ? 1 : 0);
    script.focus();
    script.setSelectionRange(from, from + (lines[n - 1] || "").length);
  };

  const show = (a) => {
    $("headline").textContent = a.region;
    const verdict = $("verdict");
    verdict.textContent = a.should_burst ? "burst to " + a.nodes + (a.nodes === 1 ? " node" : " nodes") : "do not burst";
    verdict.className = "verdict " + (a.should_burst ? "burst" : "stay");
    const facts = $("facts");
    facts.replaceChildren();
    for (const [name, value] of [["confidence", a.confidence.toFixed(2)], ["serve the job", a.types.length], ["left out", a.excluded], ["analysis", a.analysis_id]]) {
      const span = element("span", name + " ");
      span.append(element("b", value));
      facts.append(span);
    }
    $("reasons").replaceChildren(...a.reasons.map((r) => element("li", r)));

    const findings = $("findings");
    findings.hidden = a.findings.length === 0;
    findings.querySelector("ul").replaceChildren(...a.findings.map((f) => {
      const li = element("li", undefined, f.level);
      if (f.line) {
        const b = element("button", "line " + f.line);
        b.type = "button";
        b.addEventListener("click", () => line(f.line));
        li.append(b);
      }
      li.append(element("b", f.level), " " + f.message + (f.suggestion ? " (" + f.suggestion + ")" : ""), element("span", " " + f.id, "dim"));
      return li;
    }));

    const types = $("types"), body = types.querySelector("tbody"), more = $("more");
    types.hidden = a.types.length === 0;
    body.replaceChildren(...a.types.slice(0, first).map(row));
    more.hidden = a.types.length <= first;
    more.textContent = "Show " + (a.types.length - first) + " more";
    more.onclick = () => {
      body.append(...a.types.slice(first).map((t, i) => row(t, first + i)));
      more.hidden = true;
      types.querySelector(".scroll").focus();
    };

    plan = JSON.stringify(a.execution_plan, null, 2) + "\n";
    document.querySelector("#plan pre").textContent = plan;
    if (link) URL.revokeObjectURL(link);
    link = URL.createObjectURL(new Blob([plan], {type: "application/json"}));
    $("save").href = link;
    result.hidden = false;
  };

  form.addEventListener("submit", (e) => { e.preventDefault(); ask(); });
  form.addEventListener("keydown", (e) => {
    if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) { e.preventDefault(); ask(); }
  });
  $("copy").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(plan);
      status.textContent = "copied";
    } catch {
      getSelection().selectAllChildren(document.querySelector("#plan pre"));
      status.textContent = "selected, to be copied by hand";
    }
  });
  script.addEventListener("dragover", (e) => { e.preventDefault(); script.classList.add("over"); });
  script.addEventListener("dragleave", () => script.classList.remove("over"));
  script.addEventListener("drop", async (e) => {
    script.classList.remove("over");
    if (!e.dataTransfer.files.length) return;
    e.preventDefault();
    script.value = await e.dataTransfer.files[0].text();
  });
})();
