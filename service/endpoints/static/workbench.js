// The workbench: posts what stands in the text field, and shows what comes back. It decides nothing itself.
document.getElementById("no-script").remove();
const text = document.getElementById("request");
const day = document.getElementById("as-of");
const answer = document.getElementById("answer");
const problem = document.getElementById("problem");
const said = document.getElementById("said");
let example = text.dataset.example;
// The day of an example, or one that the user set; without either the decision is as of today.
let chosen = Boolean(example || text.dataset.chosen);
let daySet = Boolean(text.dataset.chosen);
let latest = 0;

function showLink() {
  const link = document.getElementById("link");
  const form = text.dataset.hook ? `&hook=${encodeURIComponent(text.dataset.hook)}` : "";
  const address = example ? `/?example=${encodeURIComponent(example)}${form}&asOf=${day.value}` : "/";
  history.replaceState(null, "", address);
  if (link && example) {
    link.hidden = false;
    link.querySelector("a").href = address;
    link.querySelector("a").textContent = location.origin + address;
  }
  if (!example) {
    for (const pick of document.querySelectorAll("[aria-current=true]")) pick.removeAttribute("aria-current");
    document.getElementById("forms")?.remove();
  }
}

function mark(line) {
  text.classList.toggle("marked", Boolean(line));
  if (!line) return;
  text.style.setProperty("--line", line);
  text.scrollTop = (line - 4) * parseFloat(getComputedStyle(text).lineHeight);
}

function goTo(line) {
  const lines = text.value.split("\n");
  const start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
  text.focus();
  text.setSelectionRange(start, start + (lines[line - 1] ?? "").length);
  mark(line);
  text.scrollIntoView({ block: "nearest" });
}

function show(reasons) {
  problem.replaceChildren(...reasons.flatMap((reason) => {
    const said = document.createElement("p");
    said.textContent = reason;
    const [, line, column] = reason.match(/\bline (\d+)(?:, column (\d+))?/) ?? [];
    const lines = text.value.split("\n");
    if (!line || line > lines.length) return [said];
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.line = line;
    button.textContent = `Go to line ${line}`;
    said.append(" ", button);
    const written = lines[line - 1];
    const from = Math.max(0, (column ?? 1) - 1);
    const excerpt = document.createElement("pre");
    const wrong = document.createElement("mark");
    wrong.textContent = column ? written.slice(from, from + 1) || "␤" : written.slice(0, 200);
    excerpt.append(column ? written.slice(Math.max(0, from - 100), from) : "", wrong);
    if (column) excerpt.append(written.slice(from + 1, from + 100));
    return [said, excerpt];
  }));
  mark(Number(problem.querySelector("button")?.dataset.line));
  problem.hidden = reasons.length === 0;
}

function refused(reasons) {
  // The answer to an earlier text would look like that to this one.
  answer.hidden = true;
  said.textContent = "";
  show(reasons);
  problem.focus();
}

async function posted(path, content, headers = {}) {
  try {
    const reply = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body: JSON.stringify(content),
    });
    return [reply.ok, await reply.json()];
  } catch {
    return [false, { issue: [{ diagnostics: "The service does not answer. Is it still running?" }] }];
  }
}

async function decide(focus = true) {
  const mine = ++latest;
  said.textContent = "Deciding…";
  problem.hidden = true;
  const asOf = chosen && day.value ? day.value : null;
  const [done, content] = await posted("/workbench/answer", { text: text.value, asOf, chosen });
  if (mine !== latest) return false;
  if (!done) {
    refused(content.issue.map((issue) => issue.diagnostics));
    return false;
  }
  mark(0);
  answer.innerHTML = content.html;
  answer.hidden = false;
  text.value = content.text;
  day.value = content.asOf;
  showLink();
  said.textContent = `Decided for ${content.asOf}: ${content.level === "none" ? "no card" : content.level}.`;
  if (focus) {
    answer.parentElement.scrollIntoView({ block: "start" });
    document.getElementById("card-title").focus({ preventScroll: true });
  }
  return true;
}

function own() {
  example = "";
  mark(0);
  if (daySet) return;
  chosen = false;
  day.value = "";
}

// A group of the form is asked once an answer that it waits for is given.
function enable(form) {
  const given = new Set([...new FormData(form)].map((field) => field.join("=")));
  for (const group of form.querySelectorAll("[data-when]")) {
    group.hidden = !group.dataset.when.split(" ").some((field) => given.has(field));
  }
}

async function copy(content) {
  try {
    await navigator.clipboard.writeText(content);
    said.textContent = "Copied.";
  } catch {
    said.textContent = "The browser does not let the page copy: mark the text and copy it by hand.";
  }
}

async function open(file) {
  if (!file) return;
  text.value = await file.text();
  own();
  await decide();
}

async function pull(form) {
  latest += 1;
  said.textContent = "Asking the server…";
  const [server, patient, token] = ["server", "patient", "bearer"].map((id) => form.querySelector(`#${id}`).value.trim());
  const headers = { "X-Page-Token": form.dataset.token };
  const [done, content] = await posted("/workbench/patient", { server, patient, token }, headers);
  if (!done) {
    refused(content.issue.map((issue) => issue.diagnostics));
    return;
  }
  text.value = content.text;
  own();
  if (await decide()) show(content.notes);
}

const form = document.getElementById("pull");
if (form) {
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    pull(form);
  });
}
document.getElementById("own").addEventListener("submit", (event) => {
  event.preventDefault();
  decide();
});
text.addEventListener("input", own);
text.addEventListener("paste", () => setTimeout(() => decide()));
day.addEventListener("change", () => {
  daySet = chosen = Boolean(day.value);
  // A day is typed digit by digit: the field keeps the focus.
  if (day.value) decide(false);
});
document.getElementById("file").addEventListener("change", (event) => open(event.target.files[0]));
for (const kind of ["dragenter", "dragover"]) {
  text.addEventListener(kind, (event) => {
    event.preventDefault();
    text.classList.add("over");
  });
}
for (const kind of ["dragleave", "drop"]) {
  text.addEventListener(kind, () => text.classList.remove("over"));
}
text.addEventListener("drop", (event) => {
  if (!event.dataTransfer.files.length) return;
  event.preventDefault();
  open(event.dataTransfer.files[0]);
});
const picked = document.querySelector(".picks [aria-current]")?.closest("li");
if (picked) {
  const above = picked.previousElementSibling ?? picked;
  picked.closest(".list").scrollTop = above.offsetTop - picked.parentElement.offsetTop;
}
problem.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) goTo(Number(button.dataset.line));
});
answer.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.line) goTo(Number(button.dataset.line));
  if (button?.dataset.copy) {
    copy(document.getElementById(button.dataset.copy).textContent);
  } else if (button && "copyLink" in button.dataset) {
    copy(document.getElementById("link").querySelector("a").href);
  }
});
answer.addEventListener("change", (event) => enable(event.target.form));
showLink();
