// The workbench: posts what stands in the text field, and shows what comes back. It decides nothing itself.
document.getElementById("no-script").remove();
const text = document.getElementById("request");
const day = document.getElementById("as-of");
const answer = document.getElementById("answer");
const problem = document.getElementById("problem");
const said = document.getElementById("said");
const undo = document.getElementById("undo");
let example = text.dataset.example;
let chosen = Boolean(example);
const before = [];

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

function refused(reasons) {
  problem.replaceChildren(...reasons.map((reason) => {
    const line = document.createElement("p");
    line.textContent = reason;
    return line;
  }));
  problem.hidden = false;
  said.textContent = "";
}

async function decide(more = {}) {
  said.textContent = "Deciding…";
  problem.hidden = true;
  let reply;
  try {
    reply = await fetch("/workbench/answer", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ text: text.value, asOf: day.value || null, chosen, ...more }),
    });
  } catch {
    refused(["The service does not answer. Is it still running?"]);
    return false;
  }
  const content = await reply.json();
  if (!reply.ok) {
    refused(content.issue.map((issue) => issue.diagnostics));
    return false;
  }
  answer.innerHTML = content.html;
  text.value = content.text;
  day.value = content.asOf;
  showLink();
  said.textContent = `Decided for ${content.asOf}: ${content.level === "none" ? "no card" : content.level}.`;
  return true;
}

function own() {
  example = "";
  before.length = 0;
  undo.hidden = true;
}

async function apply(button) {
  const was = [text.value, example, chosen];
  const { finding, answer: given } = button.dataset;
  example = "";
  if (await decide({ apply: { finding, answer: given } })) {
    before.push(was);
    undo.hidden = false;
    said.textContent += ` Recorded: ${button.textContent.trim()}.`;
    // The button is gone with its question: move to the answer.
    const title = document.getElementById("card-title");
    title.tabIndex = -1;
    title.focus();
  } else {
    [, example] = was;
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
  chosen = false;
  await decide();
}

document.getElementById("own").addEventListener("submit", (event) => {
  event.preventDefault();
  decide();
});
text.addEventListener("input", () => {
  if (example) chosen = false;
  own();
});
text.addEventListener("paste", () => setTimeout(() => decide()));
day.addEventListener("change", () => {
  chosen = true;
  if (day.value) decide();
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
undo.addEventListener("click", async () => {
  [text.value, example, chosen] = before.pop();
  undo.hidden = before.length === 0;
  await decide();
});
const picked = document.querySelector(".picks [aria-current]")?.closest("li");
if (picked) {
  const above = picked.previousElementSibling ?? picked;
  picked.closest(".list").scrollTop = above.offsetTop - picked.parentElement.offsetTop;
}
answer.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.finding) {
    apply(button);
  } else if (button?.dataset.copy) {
    copy(document.getElementById(button.dataset.copy).textContent);
  } else if (button && "copyLink" in button.dataset) {
    copy(document.getElementById("link").querySelector("a").href);
  }
});
showLink();
