// cql-execution evaluates a definition at each reference, and looks through all codes of a value set one after the
// other. Here each definition is evaluated once for a patient, and codes are found by a key.
exports.once = (require) => {
  const { PatientContext, ValueSet } = require("cql-execution");
  const { ExpressionRef } = require("cql-execution/lib/elm/reusable.js");
  const values = new Map();
  const evaluated = ExpressionRef.prototype.exec;
  ExpressionRef.prototype.exec = function (context) {
    let patient = context;
    while (patient && !(patient instanceof PatientContext)) patient = patient.parent;
    if (!patient || this.library) return evaluated.call(this, context);
    if (!values.has(this.name)) values.set(this.name, evaluated.call(this, patient));
    return values.get(this.name);
  };
  const keys = new WeakMap();
  ValueSet.prototype.hasMatch = function (code) {
    if (!keys.has(this.codes)) keys.set(this.codes, new Set(this.codes.map((one) => `${one.system}|${one.code}`)));
    const has = (one) => Boolean(one) && keys.get(this.codes).has(`${one.system}|${one.code}`);
    return Array.isArray(code) ? code.some(has) : has(code);
  };
  // To be called before the next patient.
  return () => values.clear();
};
