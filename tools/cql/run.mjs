// Evaluates definitions of a library for patients.
// Arguments: the folder of node_modules; a JSON file {elm, valueSets, definitions, patients: [{id, asOf, bundle}]}.
// One line of JSON for each patient: {id, results: {definition: value}} or {id, error}.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(`${process.argv[2]}/`);
const cql = require("cql-execution");
const { PatientSource } = require("cql-exec-fhir");
const forget = createRequire(import.meta.url)("./once.cjs").once(require);

const plain = (value) => {
  if (Array.isArray(value)) return value.map(plain);
  if (value && value.constructor === Object)
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plain(one)]));
  return value?.isDate || value?.isDateTime ? value.toString() : value;
};

const { elm, valueSets, definitions, patients } = JSON.parse(readFileSync(process.argv[3], "utf8"));
const library = new cql.Library(elm);
const service = new cql.CodeService(valueSets);
for (const { id, asOf, bundle } of patients) {
  forget();
  const source = PatientSource.FHIRv401();
  source.loadBundles([bundle]);
  const executor = new cql.Executor(library, service, { AsOf: new cql.Date(...asOf.split("-").map(Number)) });
  try {
    const [found] = Object.values((await executor.exec(source)).patientResults);
    const results = Object.fromEntries(definitions.map((name) => [name, plain(found[name])]));
    console.log(JSON.stringify({ id, results }));
  } catch (error) {
    console.log(JSON.stringify({ id, error: String(error.message ?? error).slice(0, 500) }));
  }
}
