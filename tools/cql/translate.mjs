// CQL on standard input, ELM as JSON on standard output. Argument: the folder of node_modules.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(`${process.argv[2]}/`);
const load = (name) => import(pathToFileURL(require.resolve(name)));
const { SystemModelInfoProvider } = await load("@cqframework/cql/cql");
const translator = await load("@cqframework/cql/cql-to-elm");
const models = require.resolve("cql-exec-fhir").replace(/lib\/.*$/, "lib/modelInfos");
const fhir = readFileSync(`${models}/fhir-modelinfo-4.0.1.xml`, "utf8");

const manager = new translator.ModelManager();
manager.modelInfoLoader.registerModelInfoProvider(new SystemModelInfoProvider());
manager.modelInfoLoader.registerModelInfoProvider(
  translator.createModelInfoProvider((name) => (name === "FHIR" ? translator.stringAsSource(fhir) : null)),
);
const cql = readFileSync(0, "utf8");
const { library } = JSON.parse(
  translator.CqlTranslator.fromText(cql, new translator.LibraryManager(manager)).toJson(),
);
const errors = library.annotation.filter((one) => one.type === "CqlToElmError" && one.errorSeverity !== "warning");
for (const error of errors) {
  console.error(`${error.startLine}:${error.startChar} ${error.message}`);
}
// Where an expression stood in the text, how it was written, and which overload was meant, an engine does not need.
const LEFT_OUT = new Set(["annotation", "localId", "locator", "resultTypeName", "resultTypeSpecifier", "signature"]);
const isEmpty = (value) => Array.isArray(value) && value.length === 0;
const written = JSON.stringify({ library }, (name, value) =>
  LEFT_OUT.has(name) || (isEmpty(value) && name !== "operand") ? undefined : value,
);
// Some engines read the attachment as ASCII.
console.log(written.replace(/[^\x20-\x7e]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`));
process.exitCode = errors.length ? 1 : 0;
