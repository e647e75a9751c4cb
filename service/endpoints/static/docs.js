// The page of the API: fills a form with an example, sends what stands in it, and shows what comes back.
const description = fetch("/openapi.json").then((answer) => answer.json());
// Longer answers are cut on the page.
const LONGEST = 200000;

async function operationOf(id) {
  const { paths } = await description;
  for (const methods of Object.values(paths)) {
    for (const [method, one] of Object.entries(methods)) if (one.operationId === id) return { ...one, method };
  }
  throw new Error(`No operation ${id}.`);
}

function bodyOf(operation, call) {
  if (call.text !== undefined) return call.text;
  let value = call.value;
  if (call.example !== undefined) {
    value = operation.requestBody.content[call.headers["Content-Type"]].examples[call.example].value;
  }
  return value === undefined ? "" : JSON.stringify(value, null, 2);
}

function headersIn(text) {
  const headers = new Headers();
  for (const line of text.split("\n")) {
    if (!line.trim()) continue;
    const at = line.indexOf(":");
    if (at < 1) throw new Error(`Not a header, which is a name, a colon and a value: ${line}`);
    headers.append(line.slice(0, at).trim(), line.slice(at + 1).trim());
  }
  return headers;
}

// The address on this very service: no form of this page sends anything elsewhere.
function here(address) {
  const url = new URL(address, location.origin);
  if (url.origin !== location.origin) throw new Error("Only addresses of this service: begin with a slash.");
  return url;
}

// The id of the first card in the answer to the call that goes before this one.
async function cardBefore(call) {
  const [id, name] = call.after.split(" ");
  const operation = await operationOf(id);
  const before = operation["x-calls"].find((one) => one.name === name);
  const answer = await fetch(here(before.address), {
    method: operation.method.toUpperCase(),
    headers: before.headers,
    body: bodyOf(operation, before),
  });
  const { cards } = await answer.json();
  if (!cards?.length) throw new Error(`${call.after} gave no card, so there is nothing to tell of.`);
  return cards[0].uuid;
}

function shown(text, type) {
  let told = text;
  if (type.includes("json")) {
    try {
      told = JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      // As it came.
    }
  }
  return told.length > LONGEST ? `${told.slice(0, LONGEST)}\n…` : told;
}

async function send(form) {
  const { address, headers, body, example } = form.elements;
  const operation = await operationOf(form.dataset.operation);
  const call = operation["x-calls"][example.value];
  let text = body?.value ?? "";
  if (call.after && text.includes("{{card}}")) text = text.replaceAll("{{card}}", await cardBefore(call));
  const method = form.dataset.method;
  return fetch(here(address.value), {
    method,
    headers: headersIn(headers.value),
    body: method === "GET" ? undefined : text,
    cache: "no-store",
    redirect: "error",
  });
}

for (const form of document.querySelectorAll("form[data-operation]")) {
  const said = form.querySelector(".said");
  const shows = form.querySelector(".answer");

  form.elements.example.addEventListener("change", async () => {
    const operation = await operationOf(form.dataset.operation);
    const call = operation["x-calls"][form.elements.example.value];
    form.elements.address.value = call.address;
    form.elements.headers.value = Object.entries(call.headers ?? {}).map((pair) => pair.join(": ")).join("\n");
    if (form.elements.body) form.elements.body.value = bodyOf(operation, call);
    said.textContent = "";
    shows.hidden = true;
  });

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    said.textContent = "Sending";
    shows.hidden = true;
    try {
      const answer = await send(form);
      const type = answer.headers.get("Content-Type") ?? "";
      const text = await answer.text();
      said.textContent = `Answer: ${answer.status} ${answer.statusText}, ${type || "no body"}`;
      shows.textContent = shown(text, type);
      shows.hidden = text === "";
    } catch (error) {
      said.textContent = `Not sent: ${error.message}`;
    } finally {
      button.disabled = false;
      button.focus();
    }
  });
}
