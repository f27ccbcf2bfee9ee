// Reads JSON from stdin, one request a line, and answers each with a line. A request is a list, and so is its answer:
//
//   {"simulate": [...]}  policies: "Allowed", "ExplicitlyDenied", "ImplicitlyDenied", or "error: ..." where a request
//                        or policy is not valid, or a condition key is none of the action's
//   {"lint": [...]}      state machine definitions: "" or what asl-validator finds
//
// The policy engine (0.1.173) drops keys that end in a name of one's own, kms:EncryptionContext:<name>. The one that a
// request has takes the place of another key of the same type and actions, in request and policy alike.
import { runSimulation } from "@cloud-copilot/iam-simulate";
import validate from "asl-validator";
import { createInterface } from "node:readline";

const STAND_IN = "kms:RequestAlias";

function withStandIn(simulation) {
  const keys = Object.keys(simulation.request.contextVariables);
  const context = keys.find((key) => key.startsWith("kms:EncryptionContext:"));
  return context ? JSON.parse(JSON.stringify(simulation).replaceAll(`"${context}"`, `"${STAND_IN}"`)) : simulation;
}

async function judge(simulation) {
  const response = await runSimulation(withStandIn(simulation), {});
  if (response.resultType === "error") return `error: ${JSON.stringify(response)}`;
  // Of an action on "*" that knows resources the engine judges each kind.
  const judged = response.resultType === "single" ? [response.result] : response.results;
  const ignored = judged.flatMap((result) => result.ignoredContextKeys ?? []);
  return ignored.length > 0 ? `error: ${simulation.request.action} knows no ${ignored}` : response.overallResult;
}

for await (const line of createInterface({ input: process.stdin })) {
  const { simulate = [], lint = [] } = JSON.parse(line);
  const results = [];
  for (const simulation of simulate) results.push(await judge(simulation));
  for (const definition of lint) {
    const found = validate(definition);
    results.push(found.isValid ? "" : found.errorsText());
  }
  console.log(JSON.stringify(results));
}
