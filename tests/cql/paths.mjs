// Evaluates FHIRPath expressions for a patient. Arguments: the folder of node_modules; JSON {expressions, patient}.
// One JSON list on standard output: the values of each expression.
import { createRequire } from "node:module";

const require = createRequire(`${process.argv[2]}/`);
const fhirpath = require("fhirpath");
const r4 = require("fhirpath/fhir-context/r4");
const { expressions, patient } = JSON.parse(process.argv[3]);
const values = expressions.map((one) => fhirpath.evaluate(patient, one, { patient }, r4));
console.log(JSON.stringify(values));
