// $apply of the PlanDefinition, for each patient, by an engine that is not ours.
// Arguments: the folder of node_modules; a JSON file {resources, valueSets, patients: [{id, asOf, bundle}]}.
// One line of JSON for each patient: {id, actions: [ids of the actions, parts after their whole]} or {id, error}.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";

const require = createRequire(`${process.argv[2]}/`);
const { applyPlan, simpleResolver } = await import(pathToFileURL(require.resolve("encender")));
const once = new URL("../../tools/cql/once.cjs", import.meta.url);
// A day reaches the engine's thread as text.
const worker = `
  const { createRequire } = require("node:module");
  const from = createRequire(${JSON.stringify(`${process.argv[2]}/`)});
  const cql = from("cql-execution");
  require(${JSON.stringify(fileURLToPath(once))}).once(from);
  const { parentPort } = require("node:worker_threads");
  const waiting = [];
  parentPort.onmessage = (message) => waiting.push(message);
  import(${JSON.stringify(pathToFileURL(require.resolve("cql-worker/src/cql-worker-thread.js")).href)}).then(() => {
    const answer = parentPort.onmessage;
    parentPort.onmessage = (message) => {
      const given = message.data.parameters;
      if (given?.AsOf) given.AsOf = new cql.Date(...given.AsOf.split("-").map(Number));
      return answer(message);
    };
    waiting.forEach((message) => parentPort.onmessage(message));
  });
`;
const ids = (actions) => (actions ?? []).flatMap((one) => [one.id, ...ids(one.action)]);

const { resources, valueSets, patients } = JSON.parse(readFileSync(process.argv[3], "utf8"));
const plan = resources.find((one) => one.resourceType === "PlanDefinition");
for (const { id, asOf, bundle } of patients) {
  const record = [...resources, ...bundle.entry.map((entry) => entry.resource)];
  const patient = record.find((one) => one.resourceType === "Patient");
  const aux = {
    valueSetJson: valueSets,
    cqlParameters: { AsOf: asOf },
    isNodeJs: true,
    WorkerFactory: () => new Worker(worker, { eval: true }),
  };
  // The engine's resolver takes a version for a number, and ours is a hash; here there is one of each.
  const resolver = simpleResolver(record);
  const resolve = (reference) => resolver(reference?.split("|")[0] ?? null);
  try {
    const [, group] = await applyPlan(plan, `Patient/${patient.id}`, resolve, aux);
    console.log(JSON.stringify({ id, actions: ids(group.action) }));
  } catch (error) {
    console.log(JSON.stringify({ id, error: String(error.stack ?? error).slice(0, 800) }));
  }
}
